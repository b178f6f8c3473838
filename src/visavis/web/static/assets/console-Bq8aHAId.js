import{_ as e,b as t,c as n,d as r,f as i,h as a,i as o,m as s,n as c,o as l,p as u,r as d,s as f,t as p}from"./decorate-CgotLSzj.js";import{d as m,f as h,h as g,i as _,m as v,n as y,o as b,p as x,r as S,t as ee,u as te}from"./signaling-BHNK079z.js";import{n as C,t as w}from"./format-DdnngG-R.js";import{t as T}from"./icons-CYGmKF0n.js";import{n as E}from"./page-header-NwGLaUqJ.js";var D=2e3,O=class{constructor(){this.timer=0}ring(e){e!==this.timer>0&&(clearInterval(this.timer),this.timer=e?window.setInterval(()=>this.chime([660,880]),D):0,e?this.chime([660,880]):this.silence())}knock(){this.chime([520])}chime(e){if(!(`AudioContext`in window))return;let t=this.audio??=new AudioContext;t.state===`running`?(this.output??=k(t),e.forEach((e,n)=>A(t,this.output,e,n*.25))):t.resume().catch(()=>void 0)}silence(){this.output?.disconnect(),this.output=void 0}},k=e=>{let t=e.createGain();return t.connect(e.destination),t},A=(e,t,n,r)=>{let[i,a]=[e.createOscillator(),e.createGain()],o=e.currentTime+r;i.frequency.value=n,a.gain.setValueAtTime(0,o),a.gain.linearRampToValueAtTime(.15,o+.03),a.gain.exponentialRampToValueAtTime(.001,o+.5),i.connect(a).connect(t),i.start(o),i.stop(o+.5)},j=1e3,M=class e{constructor(e){this.title=e,this.ringer=new O,this.shown=new Map,this.blinking=0}static get mayAsk(){return e.canNotify&&Notification.permission==="default"}static{this.canNotify=`Notification`in window}static async ask(){await Notification.requestPermission()}announce(e){this.ringer.ring(e.length>0),this.entitle(e[0]);for(let t of e)this.notify(t);let t=new Set(e.map(({callId:e})=>e));for(let[e,n]of this.shown)t.has(e)||(n.close(),this.shown.delete(e))}knock(){this.ringer.knock()}entitle(e){if(clearInterval(this.blinking),document.title=this.title,!e)return;let t=`☎ ${N(e)}`;document.title=t,matchMedia(`(prefers-reduced-motion: reduce)`).matches||(this.blinking=window.setInterval(()=>{document.title=document.title===t?this.title:t},j))}notify(t){if(!(e.canNotify&&Notification.permission===`granted`&&document.hidden)||this.shown.has(t.callId))return;let n=P(t);n?(n.onclick=()=>{window.focus(),n.close()},this.shown.set(t.callId,n)):e.canNotify=!1}},N=e=>`${n(`callFrom`)} ${e.visitorName||n(`aVisitor`)}`,P=e=>{let t=n(e.media===`video`?`videoCall`:`audioCall`);try{return new Notification(N(e),{body:t,tag:e.callId,requireInteraction:!0})}catch{return}},F={available:`available`,busy:`busy`,away:`away`},I=class extends s{constructor(...e){super(...e),this.ticking=0,this.watch=new v(this,()=>this.desk)}static{this.styles=[o,d,t`
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
      p { margin: 0; }
      .time { font-variant-numeric: tabular-nums; }
      button { padding: 0.3rem 0.8rem; min-height: 2.25rem; font-size: 0.9rem; }
    `]}connectedCallback(){super.connectedCallback(),this.ticking=window.setInterval(()=>this.requestUpdate(),1e3)}disconnectedCallback(){super.disconnectedCallback(),clearInterval(this.ticking)}render(){let{queue:t,visitors:n,visitorCount:r,team:i}=this.desk;return e`
      ${L(`queue`,`waitingCalls`,t.length,t.map(e=>this.waiting(e)),`noQueue`)}
      ${L(`visitors`,`visitorsHere`,r,n.map(e=>this.visitor(e)),`noVisitors`)}
      ${L(`team`,`team`,i.length,i.map(e=>this.member(e)),`noTeam`)}
    `}waiting({visitorName:t,media:r,since:i}){return e`<li>${T(r===`video`?`camera`:`phone`,18)}
      <span class="who"><strong>${t||n(`aVisitor`)}</strong></span>
      <span class="quiet small time">${w(this.desk.clock.age(i))}</span></li>`}visitor(t){let{desk:r}=this,i=t.name||n(`aVisitor`),a=r.invitedId===t.visitorId;return e`<li>
      <span class="who"><strong>${i}</strong><span class="quiet small"><bdi>${t.page}</bdi> · <span class="time">${w(r.clock.age(t.since))}</span></span></span>
      <button ?disabled=${r.hasCall||!r.isEnabled} aria-label="${n(`invite`)}: ${i}" @click=${()=>r.invite(t,`video`)}>
        ${n(a?`invitedAlready`:`invite`)}
      </button></li>`}member({agentId:t,name:r,state:i}){return e`<li><span class="dot ${i}"></span>
      <span class="who"><strong>${r}${t===this.desk.agentId?e` <span class="quiet">(${n(`you`)})</span>`:a}</strong></span>
      <span class="quiet small">${n(F[i])}</span></li>`}};p([i({attribute:!1})],I.prototype,`desk`,void 0),I=p([u(`visavis-side`)],I);var L=(t,r,i,o,s)=>e`
  <section class="card" aria-labelledby=${t}>
    <h2 id=${t}>${n(r)} <span>${i}</span></h2>
    ${o.length?e`<ul class="scroll" tabindex=${o.length>5?0:a}>${o}</ul>`:e`<p class="quiet small">${n(s)}</p>`}
  </section>`,R=t`
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
  ${d}
  ${c}
  @media (max-width: 62rem) {
    main { grid-template-columns: minmax(0, 1fr); }
    .middle { display: contents; }
    visavis-history { order: 1; } /* who waits comes before who has called */
  }
  @media (max-width: 40rem) {
    main { padding: 0.75rem; gap: 0.75rem; } .middle { gap: 0.75rem; }
    .call { padding: 0.6rem; }
  }
`,z=class{constructor(){this.offset=Date.now()-performance.now()}set(e){this.offset=Date.parse(e)-performance.now()}age(e){return(performance.now()+this.offset-Date.parse(e))/1e3}},B=3e3,V=30,H={connected:`connected`,reconnecting:`reconnecting`},U=class extends x{constructor(e,t,n,r=!1){super(),this.memoryKey=t,this.onClosed=n,this.isJoin=r,this.stage=`idle`,this.agentId=0,this.agentName=``,this.mayAccept=!0,this.isAvailable=!0,this.isOnline=!1,this.isEnabled=!1,this.isOver=!1,this.rings=[],this.queue=[],this.visitors=[],this.visitorCount=0,this.team=[],this.notice=``,this.unsent=``,this.transferringTo=``,this.invitedId=``,this.pastCallsRevision=``,this.clock=new z,this.media=`video`,this.callId=``,this.opening=Promise.resolve(void 0),this.acquisition=new AbortController,this.isResuming=!1,this.hasAccepted=!1,this.iceServers=[],this.patience=0,this.connections=0,this.forsaken=``,this.hasEndedCall=!1,this.wasInCall=!1,this.onPageHide=()=>this.remember(),this.signaling=new ee(e,e=>this.hear(e),e=>this.onOpen(e),()=>this.hasCall,()=>this.refusedByServer()),addEventListener(`pagehide`,this.onPageHide);let i=te(()=>localStorage,t);i?.isOver?this.unsent=h(i):i&&this.resume(i)}get ringing(){return this.rings.filter(({stopped:e})=>e===void 0)}get state(){return this.isOver?`over`:this.isOnline?this.mayAccept?this.hasCall?`inCall`:this.isEnabled?this.isAvailable?`available`:`away`:`disabled`:`mayNot`:`reconnecting`}get hasCall(){return this.callId!==``}close(){removeEventListener(`pagehide`,this.onPageHide),this.leave(),this.signaling.close()}async accept(e,t){if(this.hasCall)return;let{visitorEmail:n,transferredBy:r,note:i}=e,a=await this.open(e.callId,t,e.visitorName);a&&(a.details={visitorEmail:n,transferredBy:r,note:i},this.hasAccepted=!0,this.signaling.send({type:`accept`,callId:e.callId,media:t}))}decline({callId:e}){this.signaling.send({type:`decline`,callId:e}),this.stopRinging(e,`declined`),this.changed()}hangUp(){let{callId:e}=this;this.isResuming?this.forsake(e):this.signaling.isOpen?this.signaling.send({type:`hangUp`,callId:e}):this.forsaken=e,this.finish(``),this.endLink()}setAvailable(e){this.isAvailable=e,this.signaling.send({type:`presence`,isAvailable:e}),this.changed()}invite({visitorId:e},t){this.signaling.send({type:`invite`,visitorId:e,media:t}),this.invitedId=e,this.changed()}transfer({agentId:e,name:t},n=``){this.signaling.send({type:`transfer`,callId:this.callId,agentId:e,note:n}),this.transferringTo=t,this.changed()}record(e){this.signaling.send({type:`record`,callId:this.callId,action:e})}dismissNotice(){this.notice=``,this.changed()}dismissUnsent(){this.unsent=``,this.changed()}hear(e){switch(e.type){case`welcome`:this.agentId=e.agentId,this.agentName=e.agentName,this.mayAccept=e.mayAcceptCalls,this.isAvailable=e.isAvailable,this.clock.set(e.now);break;case`presence`:this.isAvailable=e.isAvailable;break;case`availability`:this.isEnabled=e.isEnabled;break;case`iceServers`:this.iceServers=e.servers;break;case`ring`:this.ringHere(e);break;case`ringStopped`:this.ringStopped(e.callId,e.reason);break;case`mine`:this.take(e);break;case`refused`:this.refused(e);break;default:this.hearMore(e)}this.changed()}hearMore(e){switch(e.type){case`team`:this.team=e.members;break;case`queue`:this.queue=e.calls;break;case`visitors`:this.visitors=e.visitors,this.visitorCount=e.count;break;case`pastCalls`:this.pastCallsRevision=`${this.connections}.${e.revision}`;break;case`transferFailed`:this.notice=n(`transferFailed`).replace(`%`,this.transferringTo),this.transferringTo=``;break;case`ended`:if(e.callId!==this.callId)break;this.finish(l(e.reason)),this.endLink();break;default:e.callId===this.callId&&this.hearOfCall(e)}}async hearOfCall(e){let t=await this.opening;t&&e.callId===this.callId&&(t.hear(e),e.type===`callState`&&(this.stage=H[e.state]??this.stage),this.wasInCall||=this.stage===`connected`,this.changed())}ringStopped(e,t){this.stopRinging(e,t),e!==this.callId||this.hasAccepted||this.finish(t===`accepted`?n(`takenByColleague`):l(t))}ringHere(e){let t=this.rings.some(({callId:t})=>t===e.callId);this.rings=t?this.rings.map(t=>t.callId===e.callId?e:t):[...this.rings,e]}stopRinging(e,t){this.ringing.some(t=>t.callId===e)&&(this.rings=this.rings.map(n=>n.callId===e?{...n,stopped:t}:n),setTimeout(()=>{this.rings=this.rings.filter(t=>t.callId!==e||t.stopped===void 0),this.changed()},B))}async take({callId:e,media:t,visitorName:n,visitorEmail:r}){if(e===this.callId){this.hasAccepted=!0;return}let i=await this.open(e,t,n);i?i.details={visitorEmail:r,transferredBy:``,note:``}:this.signaling.send({type:`hangUp`,callId:e})}open(e,t,n){return Object.assign(this,{callId:e,media:t,stage:`connecting`,notice:``,invitedId:``}),this.hasAccepted=!1,this.acquisition=new AbortController,this.changed(),this.opening=this.begin(e,t,n,this.acquisition.signal),this.opening}async begin(e,t,n,r){try{let i=await _.open(t,r),a=new m(`agent`,i,{send:e=>this.signaling.send(e),isOpen:()=>this.signaling.isOpen,iceServers:()=>this.iceServers});return Object.assign(a,{callId:e,otherName:n}),a.addEventListener(`change`,()=>this.changed()),this.conversation=a,a}catch(t){if(r.aborted)return;this.isResuming&&this.forsake(e),this.finish(t.message);return}}refused({error:e,message:t,callId:r,id:i}){if(i&&this.conversation?.refuse(i)&&!S.includes(e))this.notice=t;else{if(this.hasCall&&r===this.callId){if(S.includes(e))return this.finish(n(`ended.hungUp`));if(this.stage===`connecting`)return this.finish(t)}this.transferringTo=``,this.invitedId=``,this.notice=t}}refusedByServer(){return this.hasCall&&this.finish(n(`rightsEnded`)),this.endLink(),this.isOver}endLink(){this.isJoin&&!this.isOver&&(this.isOver=!0,this.hasEndedCall=this.wasInCall,this.signaling.close(),this.changed())}onOpen(e){this.isOnline=e,clearTimeout(this.patience),e?(this.connections+=1,this.greet()):(this.onClosed(),Object.assign(this,{rings:[],queue:[],visitors:[],team:[],transferringTo:``}),this.hasCall&&(this.patience=window.setTimeout(()=>this.finish(l(`failed`)),V*1e3))),this.changed()}greetForsaken(){let e=this.forsaken;e&&(this.signaling.send({type:`resume`,callId:e,hasMedia:!0}),this.signaling.send({type:`hangUp`,callId:e}),this.forsaken=``)}greet(){let{callId:e,conversation:t}=this;this.greetForsaken(),this.isResuming||e&&(this.signaling.send({type:`resume`,callId:e,hasMedia:t?.hasMedia??!1}),t?.sendPending())}async resume(e){let{callId:t,media:n,otherName:r,seconds:i,lines:a,pending:o,draft:s,details:c,hasCamera:l,isMuted:u}=e;this.isResuming=!0;let d=this.open(t,l?`video`:`audio`,r),{signal:f}=this.acquisition,p=await d;p||(this.unsent=h(e)),p&&!f.aborted&&(this.isResuming=!1,this.hasAccepted=!0,this.media=n,this.stage=`reconnecting`,Object.assign(p,{lines:a,pending:o,draft:s,details:c}),p.connectedFor(i),p.own.setMuted(u),this.signaling.isOpen&&this.greet())}forsake(e){this.forsaken=e,this.signaling.isOpen&&this.greetForsaken()}remember(){let{conversation:e,media:t,callId:n}=this;if(!e)return;let{seconds:r,otherName:i,lines:a,pending:o,draft:s,details:c,own:l}=e,u={isMuted:l.isMuted,hasCamera:!!l.camera,leftAt:Date.now()};b(()=>localStorage,this.memoryKey,{callId:n,secret:``,media:t,seconds:r,otherName:i,lines:a,pending:o,draft:s,details:c,resumeSeconds:V,...u})}leave(){clearTimeout(this.patience),this.acquisition.abort(),this.isResuming=!1,this.conversation?.close(),this.conversation=void 0,this.callId=``,this.opening=Promise.resolve(void 0)}finish(e){this.unsent=this.conversation&&h(this.conversation)||this.unsent,this.leave(),Object.assign(this,{stage:`idle`,notice:e,transferringTo:``}),this.changed()}},W=`/v4/livechat/audioVideoChats`,G=15,K=2e4,q=1e3,J=class extends s{constructor(...e){super(...e),this.filter=`all`,this.hasOlder=!1,this.error=``,this.waiting=0,this.watch=new v(this,()=>this.desk)}static{this.styles=[o,t`
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
    `]}willUpdate(e){let{pastCallsRevision:t}=this.desk;if(t===this.revision)return;let n=this.revision===void 0;this.revision=t,clearTimeout(this.waiting),this.waiting=window.setTimeout(()=>void this.read(1),n?0:Math.random()*q)}disconnectedCallback(){super.disconnectedCallback(),clearTimeout(this.waiting)}render(){return e`<section class="card" aria-labelledby="history">
      <div class="head">
        <h2 id="history">${n(`pastCalls`)}</h2>
        <div class="filters" role="group" aria-label=${n(`show`)}>${this.button(`all`,`allCalls`)}${this.button(`missed`,`missedCalls`)}</div>
      </div>
      ${this.error?e`<p class="error" role="alert">${this.error}</p>`:a}
      ${this.calls?.length===0?e`<p class="quiet small">${n(this.filter===`all`?`noPastCalls`:`noMissedCalls`)}</p>`:a}
      <ul>${this.calls?.map(e=>this.call(e))}</ul>
      ${this.hasOlder?e`<button @click=${()=>this.read(Math.floor((this.calls?.length??0)/G)+1)}>${n(`older`)}</button>`:a}
    </section>`}button(t,r){return e`<button aria-pressed=${this.filter===t} @click=${()=>{this.filter=t,this.calls=void 0,this.read(1)}}>${n(r)}</button>`}call(t){let{visitorName:r,visitorEmail:i,message:o}=t;return e`<li>
      <span class=${t.connectTime===null?`quiet`:``}>${T(t.media===`video`?`camera`:`phone`,18)}</span>
      <div class="who"><strong>${r||n(`aVisitor`)}</strong>
        ${i?e` <a href=${`mailto:${encodeURIComponent(i)}`}>${i}</a>`:a}
        <p class="quiet small">${re(t)}</p></div>
      <div class="when quiet small"><time datetime=${t.createTime}>${C(t.createTime)}</time></div>
      ${o?e`<blockquote>${o}</blockquote>`:a}
    </li>`}async read(e){let{filter:t}=this,r=t===`missed`?`&isAnswered=false`:``;try{let n=`pageIndex=${e}&pageSize=${G}&state=ended${r}`,i=await fetch(`${W}?${n}`,{signal:AbortSignal.timeout(K)}),a=await i.json();if(t!==this.filter||(this.error=i.ok?``:a.message,!i.ok))return;let o=e>1||(this.calls?.length??0)<=G;this.calls=Y(this.calls??[],a.audioVideoChats),o&&(this.hasOlder=a.nextPage!==``)}catch{this.error=n(`loadFailed`)}}};p([i({attribute:!1})],J.prototype,`desk`,void 0),p([r()],J.prototype,`calls`,void 0),p([r()],J.prototype,`filter`,void 0),p([r()],J.prototype,`hasOlder`,void 0),p([r()],J.prototype,`error`,void 0),J=p([u(`visavis-history`)],J);var Y=(e,t)=>[...new Map([...e,...t].map(e=>[e.id,e])).values()].sort((e,t)=>e.createTime<t.createTime?1:-1),X={missed:`outcomeMissed`,declined:`outcomeDeclined`,cancelled:`outcomeCancelled`,abandoned:`outcomeAbandoned`,failed:`outcomeFailed`,disabled:`outcomeDisabled`,recordingUnavailable:`outcomeUnrecordable`,shutDown:`outcomeShutDown`},Z=({recordingId:e,recordingState:t,missingMedia:r})=>t===`deleted`?n(`recordingDeleted`):e===null?``:n(r.length?`recordedIncompletely`:`recorded`),ne=({reason:e,connectTime:t})=>e===`hungUp`?t===null?n(`outcomeUnconnected`):``:n(X[e??``]??`outcomeFailed`),re=e=>{let{state:t,duration:r,agentName:i}=e;return[t===`ended`?ne(e):n(`goesOn`),r===null?``:w(r),i,Z(e)].filter(Boolean).join(` · `)},Q=class extends s{constructor(...e){super(...e),this.ticking=0,this.watch=new v(this,()=>this.desk)}static{this.styles=[o,t`
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
    `]}connectedCallback(){super.connectedCallback(),this.ticking=window.setInterval(()=>this.requestUpdate(),1e3)}disconnectedCallback(){super.disconnectedCallback(),clearInterval(this.ticking)}firstUpdated(e){document.activeElement===document.body&&this.renderRoot.querySelector(`h2`)?.focus()}render(){return e`<ul aria-live="assertive" aria-label=${n(`ringing`)}>${this.desk.rings.map(e=>this.ring(e))}</ul>`}ring(t){let r=t.media===`video`,i=e=>()=>this.desk.accept(t,e),o=e`<button class=${r?`primary`:``} data-accept="video" @click=${i(`video`)}>${T(`camera`)} ${n(r?`accept`:`acceptWithVideo`)}</button>`,s=e`<button class=${r?``:`primary`} data-accept="audio" @click=${i(`audio`)}>${T(`phone`)} ${n(r?`acceptWithAudio`:`accept`)}</button>`;return e`<li class=${t.stopped===void 0?``:`stopped`}>
      <span class="face">${T(r?`camera`:`phone`,26)}</span>
      <div class="who">
        <h2 tabindex="-1">${t.visitorName||n(`aVisitor`)}</h2>
        <p>${n(r?`videoCall`:`audioCall`)}${t.visitorEmail?e` · ${t.visitorEmail}`:a}</p>
        ${t.transferredBy?e`<p>${n(`transferredBy`)} <bdi>${t.transferredBy}</bdi></p>`:a}
        ${t.note?e`<p class="note">${n(`note`)}: <bdi>${t.note}</bdi></p>`:a}
        <p class="quiet small"><span aria-hidden="true">${w(this.desk.clock.age(t.since))}</span>${t.isRecorded?e` · ${n(`willBeRecorded`)}`:a}</p>
      </div>
      ${t.stopped===void 0?a:e`<p class="bar">${f(t.stopped)}</p>`}
      <div class="bar" ?hidden=${t.stopped!==void 0}>${r?[o,s]:[s,o]}
        <button @click=${()=>this.desk.decline(t)}>${n(`decline`)}</button></div>
    </li>`}};p([i({attribute:!1})],Q.prototype,`desk`,void 0),Q=p([u(`visavis-rings`)],Q);var ie=`Manage Settings`,$=class extends s{constructor(...e){super(...e),this.join=``,this.stage=`idle`,this.session=null,this.isChoosing=!1,this.waitingIds=new Set,this.hasCopied=``,this.announcer=new M(`${n(`console`)} · Visavis`),this.watch=new v(this,()=>this.desk)}static{this.styles=[o,R]}async connectedCallback(){super.connectedCallback(),Object.assign(window,{visavisConsole:this}),this.join||(this.session=await E());let e=this.join?`?join=${encodeURIComponent(this.join)}`:``;this.desk=new U(y(location.origin,`/signaling/agent${e}`),`visavis.desk${e}`,()=>{this.askSession()},!!this.join),this.requestUpdate()}disconnectedCallback(){super.disconnectedCallback(),this.desk?.close()}get peerConnection(){return this.desk?.conversation?.link?.connection}willUpdate(e){if(!this.desk)return;this.stage=this.desk.stage,this.desk.conversation||(this.isChoosing=!1);let{hasCall:t,ringing:n,queue:r}=this.desk;this.announcer.announce(t?[]:n),t&&r.some(({callId:e})=>!this.waitingIds.has(e))&&this.announcer.knock(),this.waitingIds=new Set(r.map(({callId:e})=>e))}updated(e){e.get(`stage`)===`idle`&&this.renderRoot.querySelector(`#call`)?.focus()}render(){if(!this.desk)return a;let{desk:t}=this;return e`
      ${this.head(t)}
      <main class=${this.join?`alone`:``}>
        <div class="middle">
          <div role="status">${this.status(t)}</div>
          ${t.notice?e`<div class="notice" role="alert"><p>${t.notice}</p><button class="round" aria-label=${n(`close`)} @click=${()=>t.dismissNotice()}>${T(`close`,16)}</button></div>`:a}
          ${t.unsent?this.unsent(t):a}
          ${t.hasCall?this.call(t):this.waiting(t)}
          ${this.join?a:e`<visavis-history .desk=${t}></visavis-history>`}
        </div>
        ${this.join?a:e`<aside aria-label=${n(`aroundTheCall`)}><visavis-side .desk=${t}></visavis-side></aside>`}
      </main>
    `}head(t){return this.join?e`<visavis-header alone></visavis-header>`:e`<visavis-header current="console" .session=${this.session}>
      <label class="presence"><input type="checkbox" role="switch" .checked=${t.isAvailable&&t.isOnline} ?disabled=${!t.isOnline||!t.mayAccept}
        @change=${e=>t.setAvailable(e.target.checked)} />${n(`available`)}</label>
    </visavis-header>`}status(t){switch(t.state){case`over`:return a;case`reconnecting`:return e`<p class="line error">${T(`warning`)} ${n(`lostSignaling`)}</p>`;case`mayNot`:return e`<p class="line error">${T(`warning`)} ${n(`mayNot`)}</p>`;case`inCall`:return this.join?a:e`<p class="line quiet">${T(`phone`)} ${n(`youAreInCall`)} ${ae(t.queue.length)}</p>`;case`disabled`:return e`<p class="line warn">${T(`warning`)} ${this.session?.permissions.includes(ie)?e`<span>${n(`disabledForAdministrators`)} <a href="/admin">${n(`switchOn`)}</a></span>`:n(`disabled`)}</p>`;case`away`:return this.join?a:e`<p class="line warn">${T(`pause`)} ${n(`youAreAway`)}</p>`;case`available`:return this.join?a:e`<p class="line quiet">${T(`good`)} ${n(`online`)}</p>`}}waiting(t){return t.rings.length?e`<visavis-rings .desk=${t}></visavis-rings>`:t.isOver?e`<section class="card empty" role="alert"><h1>${n(t.hasEndedCall?`joinEnded`:`joinOver`)}</h1>
        <p class="quiet">${n(t.hasEndedCall?`joinEndedHelp`:`joinOverHelp`)}</p></section>`:e`<section class="card empty">
      <span class="face">${T(`phone`,28)}</span>
      <h1>${n(this.join?`waitingForVisitor`:`noCalls`)}</h1>
      <p class="quiet">${n(this.join?`waitingForVisitorHelp`:`noCallsHelp`)}</p>
      ${M.mayAsk&&!this.join?e`<button @click=${this.askNotifications}>${T(`bell`)} ${n(`notifyMe`)}</button>`:a}
    </section>`}unsent(t){return e`<div class="notice" role="alert"><div><p>${n(`unsentAtDesk`)}</p><blockquote>${t.unsent}</blockquote></div>
      <span><button @click=${async()=>{await navigator.clipboard.writeText(t.unsent),this.hasCopied=t.unsent,this.requestUpdate()}}>${n(this.hasCopied===t.unsent?`copied`:`copy`)}</button>
      <button class="round" aria-label=${n(`close`)} @click=${()=>t.dismissUnsent()}>${T(`close`,16)}</button></span></div>`}call(t){let{conversation:r,stage:i}=t,o=r?.otherName||n(`aVisitor`),s=r&&i!==`connecting`;return e`<section class="card call" id="call" tabindex="-1" aria-label="${n(s?`connected`:`connecting`)}: ${o}">
      ${r?this.details(r.details):a}
      ${s?e`<visavis-call .conversation=${r} heading=${o} ?isReconnecting=${i===`reconnecting`} ?isOnline=${t.isOnline} @hang-up=${()=>t.hangUp()}>
            ${this.recording(t,r)} ${this.join?a:this.transfer(t)}
          </visavis-call>`:e`<div class="empty"><span class="face turning">${T(`phone`,28)}</span><p role="status">${n(i===`reconnecting`?`reconnecting`:`connecting`)}</p>
            <button class="danger" @click=${()=>t.hangUp()}>${T(`hangUp`)} ${n(`hangUp`)}</button></div>`}
    </section>`}details({visitorEmail:t,transferredBy:r,note:i}){return!t&&!r?a:e`<div class="details small">
      ${t?e`<p>${t}</p>`:a}
      ${r?e`<p>${n(`transferredBy`)} <bdi>${r}</bdi>${i?e`: <bdi>${i}</bdi>`:a}</p>`:a}
    </div>`}recording(t,{recording:r}){let i=r?.state??`off`,[a,o]={off:[`start`,`startRecording`],on:[`pause`,`pauseRecording`],paused:[`resume`,`resumeRecording`]}[i];return e`<button slot="controls" class="round" id="record" aria-label=${n(o)} title=${n(o)} @click=${()=>t.record(a)}>${T(i===`on`?`pause`:`record`)}</button>`}transfer(t){let r=t.team.filter(({agentId:e})=>e!==t.agentId);return e`
      <button slot="controls" class="round" id="transfer" aria-label=${n(`transfer`)} title=${n(`transfer`)} aria-expanded=${this.isChoosing} @click=${this.toggleTransfer}>${T(`transfer`)}</button>
      <div slot="panel" class="team" ?hidden=${!this.isChoosing} @keydown=${this.onTeamKey}>
        <h2 id="transfer-to">${n(`transferTo`)}</h2>
        <label class="field">${n(`transferNote`)}<input name="note" @input=${g(1e3)} autocomplete="off" /></label>
        ${t.transferringTo?e`<p role="status">${n(`transferRings`).replace(`%`,t.transferringTo)}</p>`:a}
        ${r.length?e`<ul aria-labelledby="transfer-to">${r.map(e=>this.colleague(t,e))}</ul>`:e`<p class="quiet">${n(`noColleagues`)}</p>`}
      </div>`}colleague(t,r){let i=r.state===`available`&&!t.transferringTo;return e`<li><span class="dot ${r.state}"></span><span class="who">${r.name} <span class="quiet small">${n(r.state)}</span></span>
      <button ?disabled=${!i} aria-label="${n(`transferTo`)} ${r.name}" @click=${()=>t.transfer(r,this.transferNote)}>${n(`ring`)}</button></li>`}get transferNote(){return this.renderRoot.querySelector(`input[name="note"]`)?.value??``}toggleTransfer(){this.isChoosing=!this.isChoosing,this.requestUpdate()}onTeamKey(e){e.key===`Escape`&&(this.toggleTransfer(),this.renderRoot.querySelector(`#transfer`)?.focus())}async askNotifications(){await M.ask(),this.requestUpdate()}async askSession(){if(!this.join)try{await E()}catch{}}};p([i()],$.prototype,`join`,void 0),p([i({reflect:!0,attribute:`data-state`})],$.prototype,`stage`,void 0),$=p([u(`visavis-console`)],$);var ae=e=>e?e===1?n(`callerWaits`):n(`callersWait`).replace(`%`,String(e)):``;export{$ as t};