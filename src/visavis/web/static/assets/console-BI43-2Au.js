import{a as e,d as t,f as n,g as r,m as i,n as a,o,p as s,r as c,s as l,t as u,u as d,y as f}from"./decorate-Bp4JMDkJ.js";import{d as p,f as m,h,i as g,m as _,n as v,o as y,p as b,r as x,t as S,u as C}from"./signaling-DkxmpZJ_.js";import{n as w,t as T}from"./format-DdnngG-R.js";import{t as E}from"./icons-DDBy4njY.js";import{n as D}from"./page-header-C90Alb0s.js";var ee=2e3,te=class{constructor(){this.timer=0}ring(e){e!==this.timer>0&&(clearInterval(this.timer),this.timer=e?window.setInterval(()=>this.chime([660,880]),ee):0,e?this.chime([660,880]):this.silence())}knock(){this.chime([520])}chime(e){if(!(`AudioContext`in window))return;let t=this.audio??=new AudioContext;t.state===`running`?(this.output??=O(t),e.forEach((e,n)=>k(t,this.output,e,n*.25))):t.resume().catch(()=>void 0)}silence(){this.output?.disconnect(),this.output=void 0}},O=e=>{let t=e.createGain();return t.connect(e.destination),t},k=(e,t,n,r)=>{let[i,a]=[e.createOscillator(),e.createGain()],o=e.currentTime+r;i.frequency.value=n,a.gain.setValueAtTime(0,o),a.gain.linearRampToValueAtTime(.15,o+.03),a.gain.exponentialRampToValueAtTime(.001,o+.5),i.connect(a).connect(t),i.start(o),i.stop(o+.5)},A=1e3,j=class e{constructor(e){this.title=e,this.ringer=new te,this.shown=new Map,this.blinking=0}static get mayAsk(){return e.canNotify&&Notification.permission==="default"}static{this.canNotify=`Notification`in window}static async ask(){await Notification.requestPermission()}announce(e){this.ringer.ring(e.length>0),this.entitle(e[0]);for(let t of e)this.notify(t);let t=new Set(e.map(({callId:e})=>e));for(let[e,n]of this.shown)t.has(e)||(n.close(),this.shown.delete(e))}knock(){this.ringer.knock()}entitle(e){if(clearInterval(this.blinking),document.title=this.title,!e)return;let t=`☎ ${M(e)}`;document.title=t,matchMedia(`(prefers-reduced-motion: reduce)`).matches||(this.blinking=window.setInterval(()=>{document.title=document.title===t?this.title:t},A))}notify(t){if(!(e.canNotify&&Notification.permission===`granted`&&document.hidden)||this.shown.has(t.callId))return;let n=N(t);n?(n.onclick=()=>{window.focus(),n.close()},this.shown.set(t.callId,n)):e.canNotify=!1}},M=e=>`${l(`callFrom`)} ${e.visitorName||l(`aVisitor`)}`,N=e=>{let t=l(e.media===`video`?`videoCall`:`audioCall`);try{return new Notification(M(e),{body:t,tag:e.callId,requireInteraction:!0})}catch{return}},P={available:`available`,busy:`busy`,away:`away`},F=class extends s{constructor(...e){super(...e),this.ticking=0,this.watch=new _(this,()=>this.desk)}static{this.styles=[c,f`
      :host { display: grid; gap: 1.25rem; align-content: start; grid-template-columns: minmax(0, 1fr); }
      section { padding: 1rem 1.25rem; }
      h2 { display: flex; justify-content: space-between; align-items: baseline; font-size: 1rem; margin-bottom: 0.5rem; }
      h2 span { font-weight: 500; color: var(--quiet); font-variant-numeric: tabular-nums; }
      ul { list-style: none; margin: 0; padding: 0; }
      li { display: flex; gap: 0.75rem; align-items: center; padding: 0.6rem 0; border-top: 1px solid var(--line); }
      li:last-child { padding-bottom: 0; }
      .who { flex: 1; min-width: 0; }
      .who > * { display: block; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
      .scroll { max-height: 22rem; overflow-y: auto; }
      .dot { width: 0.6rem; height: 0.6rem; border-radius: 50%; background: var(--quiet); flex: none; }
      .dot.available { background: var(--good); } .dot.busy { background: var(--danger); }
      p { margin: 0; }
      .time { font-variant-numeric: tabular-nums; }
      button { padding: 0.3rem 0.8rem; min-height: 2.25rem; font-size: 0.9rem; }
    `]}connectedCallback(){super.connectedCallback(),this.ticking=window.setInterval(()=>this.requestUpdate(),1e3)}disconnectedCallback(){super.disconnectedCallback(),clearInterval(this.ticking)}render(){let{queue:e,visitors:t,visitorCount:n,team:i}=this.desk;return r`
      ${I(`queue`,`waitingCalls`,e.length,e.map(e=>this.waiting(e)),`noQueue`)}
      ${I(`visitors`,`visitorsHere`,n,t.map(e=>this.visitor(e)),`noVisitors`)}
      ${I(`team`,`team`,i.length,i.map(e=>this.member(e)),`noTeam`)}
    `}waiting({visitorName:e,media:t,since:n}){return r`<li>${E(t===`video`?`camera`:`phone`,18)}
      <span class="who"><strong>${e||l(`aVisitor`)}</strong></span>
      <span class="quiet small time">${T(this.desk.clock.age(n))}</span></li>`}visitor(e){let{desk:t}=this,n=e.name||l(`aVisitor`),i=t.invitedId===e.visitorId;return r`<li>
      <span class="who"><strong>${n}</strong><span class="quiet small"><bdi>${e.page}</bdi> · <span class="time">${T(t.clock.age(e.since))}</span></span></span>
      <button ?disabled=${t.hasCall||!t.isEnabled} aria-label="${l(`invite`)}: ${n}" @click=${()=>t.invite(e,`video`)}>
        ${l(i?`invitedAlready`:`invite`)}
      </button></li>`}member({agentId:e,name:t,state:n}){return r`<li><span class="dot ${n}"></span>
      <span class="who"><strong>${t}${e===this.desk.agentId?r` <span class="quiet">(${l(`you`)})</span>`:i}</strong></span>
      <span class="quiet small">${l(P[n])}</span></li>`}};u([t({attribute:!1})],F.prototype,`desk`,void 0),F=u([n(`visavis-side`)],F);var I=(e,t,n,a,o)=>r`
  <section class="card" aria-labelledby=${e}>
    <h2 id=${e}>${l(t)} <span>${n}</span></h2>
    ${a.length?r`<ul class="scroll" tabindex=${a.length>5?0:i}>${a}</ul>`:r`<p class="quiet small">${l(o)}</p>`}
  </section>`,L=f`
  :host { display: block; min-height: 100vh; }
  a { color: var(--accent); }
  .presence { display: inline-flex; gap: 0.6rem; align-items: center; font-weight: 600; min-height: 2.75rem; cursor: pointer; }
  input[role="switch"] { appearance: none; flex: none; width: 2.75rem; height: 1.6rem; margin: 0; border-radius: 999px; background: var(--quiet); position: relative; cursor: pointer; transition: background 0.15s; }
  input[role="switch"]::after { content: ""; position: absolute; inset: 0.2rem auto 0.2rem 0.2rem; width: 1.2rem; border-radius: 50%; background: var(--card); transition: translate 0.15s; }
  input[role="switch"]:checked { background: var(--accent); }
  input[role="switch"]:checked::after { translate: 1.15rem; }
  input[role="switch"]:disabled { opacity: 0.5; }
  main { max-width: 80rem; margin: 0 auto; padding: 1.25rem; display: grid; gap: 1.25rem; grid-template-columns: minmax(0, 1fr) 20rem; }
  main.alone { grid-template-columns: minmax(0, 1fr); max-width: 60rem; }
  .middle { display: grid; gap: 1.25rem; align-content: start; min-width: 0; grid-template-columns: minmax(0, 1fr); }
  .middle > [role="status"] p { margin: 0; }
  .notice { display: flex; gap: 1rem; align-items: center; justify-content: space-between; padding: 0.35rem 0.35rem 0.35rem 1.25rem; border-radius: 12px; background: var(--soft); border: 1px solid var(--line); }
  .notice p { margin: 0; min-width: 0; overflow-wrap: anywhere; }
  .notice > div { min-width: 0; }
  .notice > span { display: flex; flex: none; gap: 0.5rem; align-items: center; }
  .notice blockquote { margin: 0.5rem 0; padding-inline-start: 0.75rem; border-inline-start: 3px solid var(--accent); white-space: pre-wrap; overflow-wrap: anywhere; max-height: 12rem; overflow-y: auto; }
  .notice button { border-color: transparent; background: none; }
  .empty { display: grid; justify-items: center; text-align: center; gap: 0.75rem; padding: 2.5rem 1.25rem; }
  .empty h1, .empty p { margin: 0; }
  .empty h1 { font-size: 1.25rem; }
  .face { width: 4.5rem; height: 4.5rem; border-radius: 50%; display: grid; place-items: center; background: var(--soft); color: var(--accent); }
  .face.turning { animation: breathe 1.6s ease-in-out infinite; }
  @keyframes breathe { 50% { opacity: 0.5; } }
  .call { padding: 1rem; }
  .team { border-top: 1px solid var(--line); padding-top: 0.75rem; }
  .team ul { list-style: none; margin: 0; padding: 0; }
  .team li { display: flex; gap: 0.75rem; align-items: center; padding: 0.4rem 0; }
  .details p { overflow-wrap: anywhere; }
  .team .who { flex: 1; min-width: 0; overflow-wrap: anywhere; }
  .dot { width: 0.6rem; height: 0.6rem; border-radius: 50%; background: var(--quiet); flex: none; }
  .dot.available { background: var(--good); } .dot.busy { background: var(--danger); }
  @media (forced-colors: active) {
    .dot { forced-color-adjust: none; border: 2px solid CanvasText; background: Canvas; }
    .dot.available { background: CanvasText; } .dot.busy { background: Highlight; border-color: Highlight; }
  }
  ${a}
  @media (max-width: 62rem) {
    main { grid-template-columns: minmax(0, 1fr); }
    .middle { display: contents; }
    visavis-history { order: 1; } /* who waits comes before who has called */
  }
  @media (max-width: 40rem) {
    main { padding: 0.75rem; gap: 0.75rem; } .middle { gap: 0.75rem; }
    .call { padding: 0.6rem; }
  }
`,R=class{constructor(){this.offset=Date.now()-performance.now()}set(e){this.offset=Date.parse(e)-performance.now()}age(e){return(performance.now()+this.offset-Date.parse(e))/1e3}},z=3e3,B=30,V={connected:`connected`,reconnecting:`reconnecting`},H=class extends b{constructor(e,t,n,r=!1){super(),this.memoryKey=t,this.onClosed=n,this.isJoin=r,this.stage=`idle`,this.agentId=0,this.agentName=``,this.mayAccept=!0,this.isAvailable=!0,this.isOnline=!1,this.isEnabled=!1,this.isOver=!1,this.rings=[],this.queue=[],this.visitors=[],this.visitorCount=0,this.team=[],this.notice=``,this.unsent=``,this.transferringTo=``,this.invitedId=``,this.pastCallsRevision=``,this.clock=new R,this.media=`video`,this.callId=``,this.opening=Promise.resolve(void 0),this.acquisition=new AbortController,this.isResuming=!1,this.hasAccepted=!1,this.iceServers=[],this.patience=0,this.connections=0,this.forsaken=``,this.hasEndedCall=!1,this.wasInCall=!1,this.onPageHide=()=>this.remember(),this.signaling=new S(e,e=>this.hear(e),e=>this.onOpen(e),()=>this.hasCall,()=>this.refusedByServer()),addEventListener(`pagehide`,this.onPageHide);let i=C(()=>localStorage,t);i?.isOver?this.unsent=m(i):i&&this.resume(i)}get ringing(){return this.rings.filter(({stopped:e})=>e===void 0)}get state(){return this.isOver?`over`:this.isOnline?this.mayAccept?this.hasCall?`inCall`:this.isEnabled?this.isAvailable?`available`:`away`:`disabled`:`mayNot`:`reconnecting`}get hasCall(){return this.callId!==``}close(){removeEventListener(`pagehide`,this.onPageHide),this.leave(),this.signaling.close()}async accept(e,t){if(this.hasCall)return;let{visitorEmail:n,transferredBy:r,note:i}=e,a=await this.open(e.callId,t,e.visitorName);a&&(a.details={visitorEmail:n,transferredBy:r,note:i},this.hasAccepted=!0,this.signaling.send({type:`accept`,callId:e.callId,media:t}))}decline({callId:e}){this.signaling.send({type:`decline`,callId:e}),this.stopRinging(e,`declined`),this.changed()}hangUp(){let{callId:e}=this;this.isResuming?this.forsake(e):this.signaling.isOpen?this.signaling.send({type:`hangUp`,callId:e}):this.forsaken=e,this.finish(``),this.endLink()}setAvailable(e){this.isAvailable=e,this.signaling.send({type:`presence`,isAvailable:e}),this.changed()}invite({visitorId:e},t){this.signaling.send({type:`invite`,visitorId:e,media:t}),this.invitedId=e,this.changed()}transfer({agentId:e,name:t},n=``){this.signaling.send({type:`transfer`,callId:this.callId,agentId:e,note:n}),this.transferringTo=t,this.changed()}record(e){this.signaling.send({type:`record`,callId:this.callId,action:e})}dismissNotice(){this.notice=``,this.changed()}dismissUnsent(){this.unsent=``,this.changed()}hear(e){switch(e.type){case`welcome`:this.agentId=e.agentId,this.agentName=e.agentName,this.mayAccept=e.mayAcceptCalls,this.isAvailable=e.isAvailable,this.clock.set(e.now);break;case`presence`:this.isAvailable=e.isAvailable;break;case`availability`:this.isEnabled=e.isEnabled;break;case`iceServers`:this.iceServers=e.servers;break;case`ring`:this.ringHere(e);break;case`ringStopped`:this.ringStopped(e.callId,e.reason);break;case`mine`:this.take(e);break;case`refused`:this.refused(e);break;default:this.hearMore(e)}this.changed()}hearMore(t){switch(t.type){case`team`:this.team=t.members;break;case`queue`:this.queue=t.calls;break;case`visitors`:this.visitors=t.visitors,this.visitorCount=t.count;break;case`pastCalls`:this.pastCallsRevision=`${this.connections}.${t.revision}`;break;case`transferFailed`:this.notice=l(`transferFailed`).replace(`%`,this.transferringTo),this.transferringTo=``;break;case`ended`:if(t.callId!==this.callId)break;this.finish(e(t.reason)),this.endLink();break;default:t.callId===this.callId&&this.hearOfCall(t)}}async hearOfCall(e){let t=await this.opening;t&&e.callId===this.callId&&(t.hear(e),e.type===`callState`&&(this.stage=V[e.state]??this.stage),this.wasInCall||=this.stage===`connected`,this.changed())}ringStopped(t,n){this.stopRinging(t,n),t!==this.callId||this.hasAccepted||this.finish(n===`accepted`?l(`takenByColleague`):e(n))}ringHere(e){let t=this.rings.some(({callId:t})=>t===e.callId);this.rings=t?this.rings.map(t=>t.callId===e.callId?e:t):[...this.rings,e]}stopRinging(e,t){this.ringing.some(t=>t.callId===e)&&(this.rings=this.rings.map(n=>n.callId===e?{...n,stopped:t}:n),setTimeout(()=>{this.rings=this.rings.filter(t=>t.callId!==e||t.stopped===void 0),this.changed()},z))}async take({callId:e,media:t,visitorName:n,visitorEmail:r}){if(e===this.callId){this.hasAccepted=!0;return}let i=await this.open(e,t,n);i?i.details={visitorEmail:r,transferredBy:``,note:``}:this.signaling.send({type:`hangUp`,callId:e})}open(e,t,n){return Object.assign(this,{callId:e,media:t,stage:`connecting`,notice:``,invitedId:``}),this.hasAccepted=!1,this.acquisition=new AbortController,this.changed(),this.opening=this.begin(e,t,n,this.acquisition.signal),this.opening}async begin(e,t,n,r){try{let i=await g.open(t,r),a=new p(`agent`,i,{send:e=>this.signaling.send(e),isOpen:()=>this.signaling.isOpen,iceServers:()=>this.iceServers});return Object.assign(a,{callId:e,otherName:n}),a.addEventListener(`change`,()=>this.changed()),this.conversation=a,a}catch(t){if(r.aborted)return;this.isResuming&&this.forsake(e),this.finish(t.message);return}}refused({error:e,message:t,callId:n,id:r}){if(r&&this.conversation?.refuse(r)&&!x.includes(e))this.notice=t;else{if(this.hasCall&&n===this.callId){if(x.includes(e))return this.finish(l(`ended.hungUp`));if(this.stage===`connecting`)return this.finish(t)}this.transferringTo=``,this.invitedId=``,this.notice=t}}refusedByServer(){return this.hasCall&&this.finish(l(`rightsEnded`)),this.endLink(),this.isOver}endLink(){this.isJoin&&!this.isOver&&(this.isOver=!0,this.hasEndedCall=this.wasInCall,this.signaling.close(),this.changed())}onOpen(t){this.isOnline=t,clearTimeout(this.patience),t?(this.connections+=1,this.greet()):(this.onClosed(),Object.assign(this,{rings:[],queue:[],visitors:[],team:[],transferringTo:``}),this.hasCall&&(this.patience=window.setTimeout(()=>this.finish(e(`failed`)),B*1e3))),this.changed()}greetForsaken(){let e=this.forsaken;e&&(this.signaling.send({type:`resume`,callId:e,hasMedia:!0}),this.signaling.send({type:`hangUp`,callId:e}),this.forsaken=``)}greet(){let{callId:e,conversation:t}=this;this.greetForsaken(),this.isResuming||e&&(this.signaling.send({type:`resume`,callId:e,hasMedia:t?.hasMedia??!1}),t?.sendPending())}async resume(e){let{callId:t,media:n,otherName:r,seconds:i,lines:a,pending:o,draft:s,details:c,hasCamera:l,isMuted:u}=e;this.isResuming=!0;let d=this.open(t,l?`video`:`audio`,r),{signal:f}=this.acquisition,p=await d;p||(this.unsent=m(e)),p&&!f.aborted&&(this.isResuming=!1,this.hasAccepted=!0,this.media=n,this.stage=`reconnecting`,Object.assign(p,{lines:a,pending:o,draft:s,details:c}),p.connectedFor(i),p.own.setMuted(u),this.signaling.isOpen&&this.greet())}forsake(e){this.forsaken=e,this.signaling.isOpen&&this.greetForsaken()}remember(){let{conversation:e,media:t,callId:n}=this;if(!e)return;let{seconds:r,otherName:i,lines:a,pending:o,draft:s,details:c,own:l}=e,u={isMuted:l.isMuted,hasCamera:!!l.camera,leftAt:Date.now()};y(()=>localStorage,this.memoryKey,{callId:n,secret:``,media:t,seconds:r,otherName:i,lines:a,pending:o,draft:s,details:c,resumeSeconds:B,...u})}leave(){clearTimeout(this.patience),this.acquisition.abort(),this.isResuming=!1,this.conversation?.close(),this.conversation=void 0,this.callId=``,this.opening=Promise.resolve(void 0)}finish(e){this.unsent=this.conversation&&m(this.conversation)||this.unsent,this.leave(),Object.assign(this,{stage:`idle`,notice:e,transferringTo:``}),this.changed()}},U=`/v4/livechat/audioVideoChats`,W=15,G=2e4,K=1e3,q=class extends s{constructor(...e){super(...e),this.filter=`all`,this.hasOlder=!1,this.error=``,this.waiting=0,this.watch=new _(this,()=>this.desk)}static{this.styles=[c,f`
      .head { display: flex; flex-wrap: wrap; gap: 0.5rem 1rem; align-items: center; justify-content: space-between; margin-bottom: 0.5rem; }
      h2 { margin: 0; }
      .filters { display: flex; gap: 0.35rem; }
      .filters button { padding: 0.3rem 0.9rem; min-height: 2.25rem; font-size: 0.9rem; }
      .filters [aria-pressed="true"] { background: var(--ink); border-color: var(--ink); color: var(--card); }
      ul { list-style: none; margin: 0; padding: 0; }
      ul + button { margin-top: 0.75rem; }
      li { display: grid; grid-template-columns: auto minmax(0, 1fr) auto; gap: 0.25rem 0.75rem; align-items: center; padding: 0.75rem 0; border-top: 1px solid var(--line); }
      .who { min-width: 0; overflow-wrap: anywhere; }
      .when { text-align: end; }
      blockquote { grid-column: 2 / -1; margin: 0; padding: 0.5rem 0.75rem; border-inline-start: 3px solid var(--accent); background: var(--soft); border-radius: 0 8px 8px 0; white-space: pre-wrap; overflow-wrap: anywhere; }
      p { margin: 0; }
      a { color: var(--accent); }
      @media (max-width: 30rem) { .when { grid-column: 2; text-align: start; } }
    `]}willUpdate(e){let{pastCallsRevision:t}=this.desk;if(t===this.revision)return;let n=this.revision===void 0;this.revision=t,clearTimeout(this.waiting),this.waiting=window.setTimeout(()=>void this.read(1),n?0:Math.random()*K)}disconnectedCallback(){super.disconnectedCallback(),clearTimeout(this.waiting)}render(){return r`<section class="card" aria-labelledby="history">
      <div class="head">
        <h2 id="history">${l(`pastCalls`)}</h2>
        <div class="filters" role="group" aria-label=${l(`show`)}>${this.button(`all`,`allCalls`)}${this.button(`missed`,`missedCalls`)}</div>
      </div>
      ${this.error?r`<p class="error" role="alert">${this.error}</p>`:i}
      ${this.calls?.length===0?r`<p class="quiet small">${l(this.filter===`all`?`noPastCalls`:`noMissedCalls`)}</p>`:i}
      <ul>${this.calls?.map(e=>this.call(e))}</ul>
      ${this.hasOlder?r`<button @click=${()=>this.read(Math.floor((this.calls?.length??0)/W)+1)}>${l(`older`)}</button>`:i}
    </section>`}button(e,t){return r`<button aria-pressed=${this.filter===e} @click=${()=>{this.filter=e,this.calls=void 0,this.read(1)}}>${l(t)}</button>`}call(e){let{visitorName:t,visitorEmail:n,message:a}=e;return r`<li>
      <span class=${e.connectTime===null?`quiet`:``}>${E(e.media===`video`?`camera`:`phone`,18)}</span>
      <div class="who"><strong>${t||l(`aVisitor`)}</strong>
        ${n?r` <a href=${`mailto:${encodeURIComponent(n)}`}>${n}</a>`:i}
        <p class="quiet small">${ne(e)}</p></div>
      <div class="when quiet small"><time datetime=${e.createTime}>${w(e.createTime)}</time></div>
      ${a?r`<blockquote>${a}</blockquote>`:i}
    </li>`}async read(e){let{filter:t}=this,n=t===`missed`?`&isAnswered=false`:``;try{let r=`pageIndex=${e}&pageSize=${W}&state=ended${n}`,i=await fetch(`${U}?${r}`,{signal:AbortSignal.timeout(G)}),a=await i.json();if(t!==this.filter||(this.error=i.ok?``:a.message,!i.ok))return;let o=e>1||(this.calls?.length??0)<=W;this.calls=J(this.calls??[],a.audioVideoChats),o&&(this.hasOlder=a.nextPage!==``)}catch{this.error=l(`loadFailed`)}}};u([t({attribute:!1})],q.prototype,`desk`,void 0),u([d()],q.prototype,`calls`,void 0),u([d()],q.prototype,`filter`,void 0),u([d()],q.prototype,`hasOlder`,void 0),u([d()],q.prototype,`error`,void 0),q=u([n(`visavis-history`)],q);var J=(e,t)=>[...new Map([...e,...t].map(e=>[e.id,e])).values()].sort((e,t)=>e.createTime<t.createTime?1:-1),Y={missed:`outcomeMissed`,declined:`outcomeDeclined`,cancelled:`outcomeCancelled`,abandoned:`outcomeAbandoned`,failed:`outcomeFailed`,disabled:`outcomeDisabled`,recordingUnavailable:`outcomeUnrecordable`,shutDown:`outcomeShutDown`},X=({recordingId:e,recordingState:t,missingMedia:n})=>t===`deleted`?l(`recordingDeleted`):e===null?``:l(n.length?`recordedIncompletely`:`recorded`),Z=({reason:e,connectTime:t})=>e===`hungUp`?t===null?l(`outcomeUnconnected`):``:l(Y[e??``]??`outcomeFailed`),ne=e=>{let{state:t,duration:n,agentName:r}=e;return[t===`ended`?Z(e):l(`goesOn`),n===null?``:T(n),r,X(e)].filter(Boolean).join(` · `)},Q=class extends s{constructor(...e){super(...e),this.ticking=0,this.watch=new _(this,()=>this.desk)}static{this.styles=[c,f`
      ul { list-style: none; margin: 0; padding: 0; display: grid; gap: 1rem; grid-template-columns: minmax(0, 1fr); }
      li { display: flex; flex-wrap: wrap; gap: 1rem; align-items: center; padding: 1.25rem; border-radius: 16px; background: var(--card); border: 2px solid var(--accent); }
      .face { width: 3.25rem; height: 3.25rem; border-radius: 50%; display: grid; place-items: center; background: var(--accent); color: var(--on-accent); flex: none; animation: ring 1.8s ease-out infinite; }
      @keyframes ring { from { box-shadow: 0 0 0 0 color-mix(in srgb, var(--accent) 60%, transparent); } to { box-shadow: 0 0 0 0.9rem transparent; } }
      .who { flex: 1 1 12rem; min-width: 0; overflow-wrap: anywhere; }
      .who h2, .who p { margin: 0; }
      .stopped { opacity: 0.6; border-style: dashed; } .stopped .face { animation: none; }
      .bar[hidden] { display: none; }
      .bar { display: flex; flex-wrap: wrap; gap: 0.5rem; }
      @media (max-width: 30rem) { li { padding: 1rem; } .bar, .bar button { flex: 1 1 auto; } }
    `]}connectedCallback(){super.connectedCallback(),this.ticking=window.setInterval(()=>this.requestUpdate(),1e3)}disconnectedCallback(){super.disconnectedCallback(),clearInterval(this.ticking)}firstUpdated(e){document.activeElement===document.body&&this.renderRoot.querySelector(`h2`)?.focus()}render(){return r`<ul aria-live="assertive" aria-label=${l(`ringing`)}>${this.desk.rings.map(e=>this.ring(e))}</ul>`}ring(e){let t=e.media===`video`,n=t=>()=>this.desk.accept(e,t),a=r`<button class=${t?`primary`:``} data-accept="video" @click=${n(`video`)}>${E(`camera`)} ${l(t?`accept`:`acceptWithVideo`)}</button>`,s=r`<button class=${t?``:`primary`} data-accept="audio" @click=${n(`audio`)}>${E(`phone`)} ${l(t?`acceptWithAudio`:`accept`)}</button>`;return r`<li class=${e.stopped===void 0?``:`stopped`}>
      <span class="face">${E(t?`camera`:`phone`,26)}</span>
      <div class="who">
        <h2 tabindex="-1">${e.visitorName||l(`aVisitor`)}</h2>
        <p>${l(t?`videoCall`:`audioCall`)}${e.visitorEmail?r` · ${e.visitorEmail}`:i}</p>
        ${e.transferredBy?r`<p>${l(`transferredBy`)} <bdi>${e.transferredBy}</bdi></p>`:i}
        ${e.note?r`<p class="note">${l(`note`)}: <bdi>${e.note}</bdi></p>`:i}
        <p class="quiet small"><span aria-hidden="true">${T(this.desk.clock.age(e.since))}</span>${e.isRecorded?r` · ${l(`willBeRecorded`)}`:i}</p>
      </div>
      ${e.stopped===void 0?i:r`<p class="bar">${o(e.stopped)}</p>`}
      <div class="bar" ?hidden=${e.stopped!==void 0}>${t?[a,s]:[s,a]}
        <button @click=${()=>this.desk.decline(e)}>${l(`decline`)}</button></div>
    </li>`}};u([t({attribute:!1})],Q.prototype,`desk`,void 0),Q=u([n(`visavis-rings`)],Q);var re=`Manage Settings`,$=class extends s{constructor(...e){super(...e),this.join=``,this.stage=`idle`,this.session=null,this.isChoosing=!1,this.waitingIds=new Set,this.hasCopied=``,this.announcer=new j(`${l(`console`)} · Visavis`),this.watch=new _(this,()=>this.desk)}static{this.styles=[c,L]}async connectedCallback(){super.connectedCallback(),Object.assign(window,{visavisConsole:this}),this.join||(this.session=await D());let e=this.join?`?join=${encodeURIComponent(this.join)}`:``;this.desk=new H(v(location.origin,`/signaling/agent${e}`),`visavis.desk${e}`,()=>{this.askSession()},!!this.join),this.requestUpdate()}disconnectedCallback(){super.disconnectedCallback(),this.desk?.close()}get peerConnection(){return this.desk?.conversation?.link?.connection}willUpdate(e){if(!this.desk)return;this.stage=this.desk.stage,this.desk.conversation||(this.isChoosing=!1);let{hasCall:t,ringing:n,queue:r}=this.desk;this.announcer.announce(t?[]:n),t&&r.some(({callId:e})=>!this.waitingIds.has(e))&&this.announcer.knock(),this.waitingIds=new Set(r.map(({callId:e})=>e))}updated(e){e.get(`stage`)===`idle`&&this.renderRoot.querySelector(`#call`)?.focus()}render(){if(!this.desk)return i;let{desk:e}=this;return r`
      ${this.head(e)}
      <main class=${this.join?`alone`:``}>
        <div class="middle">
          <div role="status">${this.status(e)}</div>
          ${e.notice?r`<div class="notice" role="alert"><p>${e.notice}</p><button class="round" aria-label=${l(`close`)} @click=${()=>e.dismissNotice()}>${E(`close`,16)}</button></div>`:i}
          ${e.unsent?this.unsent(e):i}
          ${e.hasCall?this.call(e):this.waiting(e)}
          ${this.join?i:r`<visavis-history .desk=${e}></visavis-history>`}
        </div>
        ${this.join?i:r`<aside aria-label=${l(`aroundTheCall`)}><visavis-side .desk=${e}></visavis-side></aside>`}
      </main>
    `}head(e){return this.join?r`<visavis-header alone></visavis-header>`:r`<visavis-header current="console" .session=${this.session}>
      <label class="presence"><input type="checkbox" role="switch" .checked=${e.isAvailable&&e.isOnline} ?disabled=${!e.isOnline||!e.mayAccept}
        @change=${t=>e.setAvailable(t.target.checked)} />${l(`available`)}</label>
    </visavis-header>`}status(e){switch(e.state){case`over`:return i;case`reconnecting`:return r`<p class="line error">${E(`warning`)} ${l(`lostSignaling`)}</p>`;case`mayNot`:return r`<p class="line error">${E(`warning`)} ${l(`mayNot`)}</p>`;case`inCall`:return this.join?i:r`<p class="line quiet">${E(`phone`)} ${l(`youAreInCall`)} ${ie(e.queue.length)}</p>`;case`disabled`:return r`<p class="line warn">${E(`warning`)} ${this.session?.permissions.includes(re)?r`<span>${l(`disabledForAdministrators`)} <a href="/admin">${l(`switchOn`)}</a></span>`:l(`disabled`)}</p>`;case`away`:return this.join?i:r`<p class="line warn">${E(`pause`)} ${l(`youAreAway`)}</p>`;case`available`:return this.join?i:r`<p class="line quiet">${E(`good`)} ${l(`online`)}</p>`}}waiting(e){return e.rings.length?r`<visavis-rings .desk=${e}></visavis-rings>`:e.isOver?r`<section class="card empty" role="alert"><h1>${l(e.hasEndedCall?`joinEnded`:`joinOver`)}</h1>
        <p class="quiet">${l(e.hasEndedCall?`joinEndedHelp`:`joinOverHelp`)}</p></section>`:r`<section class="card empty">
      <span class="face">${E(`phone`,28)}</span>
      <h1>${l(this.join?`waitingForVisitor`:`noCalls`)}</h1>
      <p class="quiet">${l(this.join?`waitingForVisitorHelp`:`noCallsHelp`)}</p>
      ${j.mayAsk&&!this.join?r`<button @click=${this.askNotifications}>${E(`bell`)} ${l(`notifyMe`)}</button>`:i}
    </section>`}unsent(e){return r`<div class="notice" role="alert"><div><p>${l(`unsentAtDesk`)}</p><blockquote>${e.unsent}</blockquote></div>
      <span><button @click=${async()=>{await navigator.clipboard.writeText(e.unsent),this.hasCopied=e.unsent,this.requestUpdate()}}>${l(this.hasCopied===e.unsent?`copied`:`copy`)}</button>
      <button class="round" aria-label=${l(`close`)} @click=${()=>e.dismissUnsent()}>${E(`close`,16)}</button></span></div>`}call(e){let{conversation:t,stage:n}=e,a=t?.otherName||l(`aVisitor`),o=t&&n!==`connecting`;return r`<section class="card call" id="call" tabindex="-1" aria-label="${l(o?`connected`:`connecting`)}: ${a}">
      ${t?this.details(t.details):i}
      ${o?r`<visavis-call .conversation=${t} heading=${a} ?isReconnecting=${n===`reconnecting`} ?isOnline=${e.isOnline} @hang-up=${()=>e.hangUp()}>
            ${this.recording(e,t)} ${this.join?i:this.transfer(e)}
          </visavis-call>`:r`<div class="empty"><span class="face turning">${E(`phone`,28)}</span><p role="status">${l(n===`reconnecting`?`reconnecting`:`connecting`)}</p>
            <button class="danger" @click=${()=>e.hangUp()}>${E(`hangUp`)} ${l(`hangUp`)}</button></div>`}
    </section>`}details({visitorEmail:e,transferredBy:t,note:n}){return!e&&!t?i:r`<div class="details small">
      ${e?r`<p>${e}</p>`:i}
      ${t?r`<p>${l(`transferredBy`)} <bdi>${t}</bdi>${n?r`: <bdi>${n}</bdi>`:i}</p>`:i}
    </div>`}recording(e,{recording:t}){let n=t?.state??`off`,[i,a]={off:[`start`,`startRecording`],on:[`pause`,`pauseRecording`],paused:[`resume`,`resumeRecording`]}[n];return r`<button slot="controls" class="round" id="record" aria-label=${l(a)} title=${l(a)} @click=${()=>e.record(i)}>${E(n===`on`?`pause`:`record`)}</button>`}transfer(e){let t=e.team.filter(({agentId:t})=>t!==e.agentId);return r`
      <button slot="controls" class="round" id="transfer" aria-label=${l(`transfer`)} title=${l(`transfer`)} aria-expanded=${this.isChoosing} @click=${this.toggleTransfer}>${E(`transfer`)}</button>
      <div slot="panel" class="team" ?hidden=${!this.isChoosing} @keydown=${this.onTeamKey}>
        <h2 id="transfer-to">${l(`transferTo`)}</h2>
        <label class="field">${l(`transferNote`)}<input name="note" @input=${h(1e3)} autocomplete="off" /></label>
        ${e.transferringTo?r`<p role="status">${l(`transferRings`).replace(`%`,e.transferringTo)}</p>`:i}
        ${t.length?r`<ul aria-labelledby="transfer-to">${t.map(t=>this.colleague(e,t))}</ul>`:r`<p class="quiet">${l(`noColleagues`)}</p>`}
      </div>`}colleague(e,t){let n=t.state===`available`&&!e.transferringTo;return r`<li><span class="dot ${t.state}"></span><span class="who">${t.name} <span class="quiet small">${l(t.state)}</span></span>
      <button ?disabled=${!n} aria-label="${l(`transferTo`)} ${t.name}" @click=${()=>e.transfer(t,this.transferNote)}>${l(`ring`)}</button></li>`}get transferNote(){return this.renderRoot.querySelector(`input[name="note"]`)?.value??``}toggleTransfer(){this.isChoosing=!this.isChoosing,this.requestUpdate()}onTeamKey(e){e.key===`Escape`&&(this.toggleTransfer(),this.renderRoot.querySelector(`#transfer`)?.focus())}async askNotifications(){await j.ask(),this.requestUpdate()}async askSession(){if(!this.join)try{await D()}catch{}}};u([t()],$.prototype,`join`,void 0),u([t({reflect:!0,attribute:`data-state`})],$.prototype,`stage`,void 0),$=u([n(`visavis-console`)],$);var ie=e=>e?e===1?l(`callerWaits`):l(`callersWait`).replace(`%`,String(e)):``;export{$ as t};