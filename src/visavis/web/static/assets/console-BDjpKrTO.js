import{_ as e,a as t,c as n,d as r,f as i,i as a,l as o,m as s,n as c,r as l,t as u,u as d}from"./decorate-oRg8hAOt.js";import{d as f,f as p,i as m,n as h,o as g,p as _,r as v,t as y,u as b}from"./signaling-_iofY5aY.js";import{n as x,t as S}from"./format-DdnngG-R.js";import{t as C}from"./icons-D_4i3jb9.js";import{n as w,t as T}from"./session-BWOSUMWK.js";var E=2e3,D=class{constructor(){this.timer=0}ring(e){e!==this.timer>0&&(clearInterval(this.timer),this.timer=e?window.setInterval(()=>this.chime([660,880]),E):0,e?this.chime([660,880]):this.silence())}knock(){this.chime([520])}chime(e){if(!(`AudioContext`in window))return;let t=this.audio??=new AudioContext;t.state===`running`?(this.output??=O(t),e.forEach((e,n)=>k(t,this.output,e,n*.25))):t.resume().catch(()=>void 0)}silence(){this.output?.disconnect(),this.output=void 0}},O=e=>{let t=e.createGain();return t.connect(e.destination),t},k=(e,t,n,r)=>{let[i,a]=[e.createOscillator(),e.createGain()],o=e.currentTime+r;i.frequency.value=n,a.gain.setValueAtTime(0,o),a.gain.linearRampToValueAtTime(.15,o+.03),a.gain.exponentialRampToValueAtTime(.001,o+.5),i.connect(a).connect(t),i.start(o),i.stop(o+.5)},A=1e3,j=class e{constructor(e){this.title=e,this.ringer=new D,this.shown=new Map,this.blinking=0}static get mayAsk(){return e.canNotify&&Notification.permission==="default"}static{this.canNotify=`Notification`in window}static async ask(){await Notification.requestPermission()}announce(e){this.ringer.ring(e.length>0),this.entitle(e[0]);for(let t of e)this.notify(t);let t=new Set(e.map(({callId:e})=>e));for(let[e,n]of this.shown)t.has(e)||(n.close(),this.shown.delete(e))}knock(){this.ringer.knock()}entitle(e){if(clearInterval(this.blinking),document.title=this.title,!e)return;let t=`☎ ${M(e)}`;document.title=t,matchMedia(`(prefers-reduced-motion: reduce)`).matches||(this.blinking=window.setInterval(()=>{document.title=document.title===t?this.title:t},A))}notify(t){if(!(e.canNotify&&Notification.permission===`granted`&&document.hidden)||this.shown.has(t.callId))return;let n=N(t);n?(n.onclick=()=>{window.focus(),n.close()},this.shown.set(t.callId,n)):e.canNotify=!1}},M=e=>`${t(`callFrom`)} ${e.visitorName||t(`aVisitor`)}`,N=e=>{let n=t(e.media===`video`?`videoCall`:`audioCall`);try{return new Notification(M(e),{body:n,tag:e.callId,requireInteraction:!0})}catch{return}},P={available:`available`,busy:`busy`,away:`away`},F=class extends r{constructor(...e){super(...e),this.ticking=0,this.watch=new _(this,()=>this.desk)}static{this.styles=[c,e`
      :host { display: grid; gap: 1.25rem; align-content: start; }
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
    `]}connectedCallback(){super.connectedCallback(),this.ticking=window.setInterval(()=>this.requestUpdate(),1e3)}disconnectedCallback(){super.disconnectedCallback(),clearInterval(this.ticking)}render(){let{queue:e,visitors:t,visitorCount:n,team:r}=this.desk;return s`
      ${I(`queue`,`waitingCalls`,e.length,e.map(e=>this.waiting(e)),`noQueue`)}
      ${I(`visitors`,`visitorsHere`,n,t.map(e=>this.visitor(e)),`noVisitors`)}
      ${I(`team`,`team`,r.length,r.map(e=>this.member(e)),`noTeam`)}
    `}waiting({visitorName:e,media:n,since:r}){return s`<li>${C(n===`video`?`camera`:`phone`,18)}
      <span class="who"><strong>${e||t(`aVisitor`)}</strong></span>
      <span class="quiet small time">${L(r)}</span></li>`}visitor(e){let{desk:n}=this,r=e.name||t(`aVisitor`),i=n.invitedId===e.visitorId;return s`<li>
      <span class="who"><strong>${r}</strong><span class="quiet small">${e.page} · <span class="time">${L(e.since)}</span></span></span>
      <button ?disabled=${n.hasCall||!n.isEnabled} aria-label="${t(`invite`)}: ${r}" @click=${()=>n.invite(e,`video`)}>
        ${t(i?`invitedAlready`:`invite`)}
      </button></li>`}member({agentId:e,name:n,state:r}){return s`<li><span class="dot ${r}"></span>
      <span class="who"><strong>${n}${e===this.desk.agentId?s` <span class="quiet">(${t(`you`)})</span>`:i}</strong></span>
      <span class="quiet small">${t(P[r])}</span></li>`}};u([o({attribute:!1})],F.prototype,`desk`,void 0),F=u([d(`visavis-side`)],F);var I=(e,n,r,a,o)=>s`
  <section class="card" aria-labelledby=${e}>
    <h2 id=${e}>${t(n)} <span>${r}</span></h2>
    ${a.length?s`<ul class="scroll" tabindex=${a.length>5?0:i}>${a}</ul>`:s`<p class="quiet small">${t(o)}</p>`}
  </section>`,L=e=>S((Date.now()-Date.parse(e))/1e3),R=e`
  :host { display: block; min-height: 100vh; }
  header { display: flex; flex-wrap: wrap; gap: 0.5rem 1.25rem; align-items: center; padding: 0.6rem 1.25rem; border-bottom: 1px solid var(--line); background: var(--card); }
  header strong { margin-right: auto; }
  nav { display: flex; gap: 1.25rem; }
  a { color: var(--accent); }
  .presence { display: inline-flex; gap: 0.6rem; align-items: center; font-weight: 600; min-height: 2.75rem; cursor: pointer; }
  input[role="switch"] { appearance: none; flex: none; width: 2.75rem; height: 1.6rem; margin: 0; border-radius: 999px; background: var(--quiet); position: relative; cursor: pointer; transition: background 0.15s; }
  input[role="switch"]::after { content: ""; position: absolute; inset: 0.2rem auto 0.2rem 0.2rem; width: 1.2rem; border-radius: 50%; background: var(--card); transition: translate 0.15s; }
  input[role="switch"]:checked { background: var(--accent); }
  input[role="switch"]:checked::after { translate: 1.15rem; }
  input[role="switch"]:disabled { opacity: 0.5; }
  main { max-width: 80rem; margin: 0 auto; padding: 1.25rem; display: grid; gap: 1.25rem; grid-template-columns: minmax(0, 1fr) 20rem; }
  main.alone { grid-template-columns: minmax(0, 1fr); max-width: 60rem; }
  .middle { display: grid; gap: 1.25rem; align-content: start; min-width: 0; }
  .middle > [role="status"] p { margin: 0; }
  .notice { display: flex; gap: 1rem; align-items: center; justify-content: space-between; padding: 0.35rem 0.35rem 0.35rem 1.25rem; border-radius: 12px; background: var(--soft); border: 1px solid var(--line); }
  .notice p { margin: 0; }
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
  .team .who { flex: 1; }
  .dot { width: 0.6rem; height: 0.6rem; border-radius: 50%; background: var(--quiet); flex: none; }
  .dot.available { background: var(--good); } .dot.busy { background: var(--danger); }
  @media (max-width: 62rem) { main { grid-template-columns: minmax(0, 1fr); } }
  @media (max-width: 40rem) {
    main { padding: 0.75rem; gap: 0.75rem; } .middle { gap: 0.75rem; }
    header { padding: 0.5rem 0.75rem; gap: 0.25rem 1rem; }
    .name { display: none; }
    .call { padding: 0.6rem; }
  }
`,z=3e3,B=30,V={connected:`connected`,reconnecting:`reconnecting`},H=class extends p{constructor(e,t,n){super(),this.memoryKey=t,this.onClosed=n,this.stage=`idle`,this.agentId=0,this.agentName=``,this.mayAccept=!0,this.isAvailable=!0,this.isOnline=!1,this.isEnabled=!1,this.rings=[],this.queue=[],this.visitors=[],this.visitorCount=0,this.team=[],this.notice=``,this.transferringTo=``,this.invitedId=``,this.endings=0,this.media=`video`,this.callId=``,this.opening=Promise.resolve(void 0),this.acquisition=new AbortController,this.isResuming=!1,this.hasAccepted=!1,this.iceServers=[],this.patience=0,this.forsaken=``,this.onPageHide=()=>this.remember(),this.signaling=new y(e,e=>this.hear(e),e=>this.onOpen(e),()=>this.hasCall,()=>this.refusedByServer()),addEventListener(`pagehide`,this.onPageHide);let r=b(()=>localStorage,t);r&&this.resume(r)}get ringing(){return this.rings.filter(({stopped:e})=>e===void 0)}get state(){return this.isOnline?this.mayAccept?this.hasCall?`inCall`:this.isEnabled?this.isAvailable?`available`:`away`:`disabled`:`mayNot`:`reconnecting`}get hasCall(){return this.callId!==``}close(){removeEventListener(`pagehide`,this.onPageHide),this.leave(),this.signaling.close()}async accept(e,t){if(this.hasCall)return;let{visitorEmail:n,transferredBy:r,note:i}=e,a=await this.open(e.callId,t,e.visitorName);a&&(a.details={visitorEmail:n,transferredBy:r,note:i},this.hasAccepted=!0,this.signaling.send({type:`accept`,callId:e.callId,media:t}))}decline({callId:e}){this.signaling.send({type:`decline`,callId:e}),this.stopRinging(e,`declined`),this.changed()}hangUp(){let{callId:e}=this;this.isResuming?this.forsake(e):this.signaling.isOpen?this.signaling.send({type:`hangUp`,callId:e}):this.forsaken=e,this.finish(``)}setAvailable(e){this.isAvailable=e,this.signaling.send({type:`presence`,isAvailable:e}),this.changed()}invite({visitorId:e},t){this.signaling.send({type:`invite`,visitorId:e,media:t}),this.invitedId=e,this.changed()}transfer({agentId:e,name:t},n=``){this.signaling.send({type:`transfer`,callId:this.callId,agentId:e,note:n}),this.transferringTo=t,this.changed()}record(e){this.signaling.send({type:`record`,callId:this.callId,action:e})}dismissNotice(){this.notice=``,this.changed()}hear(e){switch(e.type){case`welcome`:this.agentId=e.agentId,this.agentName=e.agentName,this.mayAccept=e.mayAcceptCalls,this.isAvailable=e.isAvailable;break;case`presence`:this.isAvailable=e.isAvailable;break;case`availability`:this.isEnabled=e.isEnabled;break;case`iceServers`:this.iceServers=e.servers;break;case`ring`:this.ringHere(e);break;case`ringStopped`:this.ringStopped(e.callId,e.reason);break;case`mine`:this.take(e);break;case`refused`:this.refused(e);break;default:this.hearMore(e)}this.changed()}hearMore(e){switch(e.type){case`team`:this.team=e.members;break;case`queue`:this.queue=e.calls;break;case`visitors`:this.visitors=e.visitors,this.visitorCount=e.count;break;case`transferFailed`:this.notice=t(`transferFailed`).replace(`%`,this.transferringTo),this.transferringTo=``;break;case`ended`:e.callId===this.callId&&this.finish(l(e.reason));break;default:e.callId===this.callId&&this.hearOfCall(e)}}async hearOfCall(e){let t=await this.opening;t&&e.callId===this.callId&&(t.hear(e),e.type===`callState`&&(this.stage=V[e.state]??this.stage),this.changed())}ringStopped(e,n){this.stopRinging(e,n),e!==this.callId||this.hasAccepted||this.finish(n===`accepted`?t(`takenByColleague`):l(n))}ringHere(e){let t=this.rings.some(({callId:t})=>t===e.callId);this.rings=t?this.rings.map(t=>t.callId===e.callId?e:t):[...this.rings,e]}stopRinging(e,t){this.ringing.some(t=>t.callId===e)&&(this.rings=this.rings.map(n=>n.callId===e?{...n,stopped:t}:n),setTimeout(()=>{this.rings=this.rings.filter(t=>t.callId!==e||t.stopped===void 0),this.changed()},z))}async take({callId:e,media:t,visitorName:n,visitorEmail:r}){if(e===this.callId){this.hasAccepted=!0;return}let i=await this.open(e,t,n);i?i.details={visitorEmail:r,transferredBy:``,note:``}:this.signaling.send({type:`hangUp`,callId:e})}open(e,t,n){return Object.assign(this,{callId:e,media:t,stage:`connecting`,notice:``,invitedId:``}),this.hasAccepted=!1,this.acquisition=new AbortController,this.changed(),this.opening=this.begin(e,t,n,this.acquisition.signal),this.opening}async begin(e,t,n,r){try{let i=await m.open(t,r),a=new f(`agent`,i,{send:e=>this.signaling.send(e),isOpen:()=>this.signaling.isOpen,iceServers:()=>this.iceServers});return Object.assign(a,{callId:e,otherName:n}),a.addEventListener(`change`,()=>this.changed()),this.conversation=a,a}catch(t){if(r.aborted)return;this.isResuming&&this.forsake(e),this.finish(t.message);return}}refused({error:e,message:n,callId:r,id:i}){if(i&&this.conversation?.refuse(i)&&!v.includes(e))this.notice=n;else{if(this.hasCall&&r===this.callId){if(v.includes(e))return this.finish(t(`ended.hungUp`));if(this.stage===`connecting`)return this.finish(n)}this.transferringTo=``,this.invitedId=``,this.notice=n}}refusedByServer(){this.hasCall&&this.finish(t(`rightsEnded`))}onOpen(e){this.isOnline=e,clearTimeout(this.patience),e?this.greet():(this.onClosed(),Object.assign(this,{rings:[],queue:[],visitors:[],team:[],transferringTo:``}),this.hasCall&&(this.patience=window.setTimeout(()=>this.finish(l(`failed`)),B*1e3))),this.changed()}greetForsaken(){let e=this.forsaken;e&&(this.signaling.send({type:`resume`,callId:e,hasMedia:!0}),this.signaling.send({type:`hangUp`,callId:e}),this.forsaken=``)}greet(){let{callId:e,conversation:t}=this;this.greetForsaken(),this.isResuming||e&&(this.signaling.send({type:`resume`,callId:e,hasMedia:t?.hasMedia??!1}),t?.sendPending())}async resume(e){let{callId:t,media:n,otherName:r,since:i,lines:a,pending:o,details:s,hasCamera:c,isMuted:l}=e;this.isResuming=!0;let u=this.open(t,c?`video`:`audio`,r),{signal:d}=this.acquisition,f=await u;f&&!d.aborted&&(this.isResuming=!1,this.hasAccepted=!0,this.media=n,this.stage=`reconnecting`,Object.assign(f,{since:i,lines:a,pending:o,details:s}),f.own.setMuted(l),this.signaling.isOpen&&this.greet())}forsake(e){this.forsaken=e,this.signaling.isOpen&&this.greetForsaken()}remember(){let{conversation:e,media:t,callId:n}=this;if(!e)return;let{since:r,otherName:i,lines:a,pending:o,details:s,own:c}=e,l={isMuted:c.isMuted,hasCamera:!!c.camera,leftAt:Date.now()};g(()=>localStorage,this.memoryKey,{callId:n,secret:``,media:t,since:r,otherName:i,lines:a,pending:o,details:s,resumeSeconds:B,...l})}leave(){clearTimeout(this.patience),this.acquisition.abort(),this.isResuming=!1,this.conversation?.close(),this.conversation=void 0,this.callId=``,this.opening=Promise.resolve(void 0)}finish(e){this.leave(),Object.assign(this,{stage:`idle`,notice:e,transferringTo:``}),this.endings+=1,this.changed()}},U=`/v4/livechat/audioVideoChats`,W=15,G=`missed,declined,abandoned,cancelled`,K=500,q=class extends r{constructor(...e){super(...e),this.filter=`all`,this.hasOlder=!1,this.error=``,this.page=1,this.endings=-1,this.waiting=0,this.watch=new _(this,()=>this.desk)}static{this.styles=[c,e`
      .head { display: flex; flex-wrap: wrap; gap: 0.5rem 1rem; align-items: center; justify-content: space-between; margin-bottom: 0.5rem; }
      h2 { margin: 0; }
      .filters { display: flex; gap: 0.35rem; }
      .filters button { padding: 0.3rem 0.9rem; min-height: 2.25rem; font-size: 0.9rem; }
      .filters [aria-pressed="true"] { background: var(--ink); border-color: var(--ink); color: var(--card); }
      ul { list-style: none; margin: 0; padding: 0; }
      ul + button { margin-top: 0.75rem; }
      li { display: grid; grid-template-columns: auto 1fr auto; gap: 0.25rem 0.75rem; align-items: center; padding: 0.75rem 0; border-top: 1px solid var(--line); }
      .who { min-width: 0; overflow-wrap: anywhere; }
      .when { text-align: end; }
      blockquote { grid-column: 2 / -1; margin: 0; padding: 0.5rem 0.75rem; border-inline-start: 3px solid var(--accent); background: var(--soft); border-radius: 0 8px 8px 0; white-space: pre-wrap; overflow-wrap: anywhere; }
      p { margin: 0; }
      a { color: var(--accent); }
      @media (max-width: 30rem) { .when { grid-column: 2; text-align: start; } }
    `]}willUpdate(e){let{endings:t,queue:n,rings:r}=this.desk,i=t*1e6+n.length*1e3+r.length;if(i===this.endings)return;let a=this.endings===-1;this.endings=i,clearTimeout(this.waiting),this.waiting=window.setTimeout(()=>void this.read(1),a?0:K)}disconnectedCallback(){super.disconnectedCallback(),clearTimeout(this.waiting)}render(){return s`<section class="card" aria-labelledby="history">
      <div class="head">
        <h2 id="history">${t(`pastCalls`)}</h2>
        <div class="filters" role="group" aria-label=${t(`show`)}>${this.button(`all`,`allCalls`)}${this.button(`missed`,`missedCalls`)}</div>
      </div>
      ${this.error?s`<p class="error" role="alert">${this.error}</p>`:i}
      ${this.calls?.length===0?s`<p class="quiet small">${t(this.filter===`all`?`noPastCalls`:`noMissedCalls`)}</p>`:i}
      <ul>${this.calls?.map(e=>this.call(e))}</ul>
      ${this.hasOlder?s`<button @click=${()=>this.read(this.page+1)}>${t(`older`)}</button>`:i}
    </section>`}button(e,n){return s`<button aria-pressed=${this.filter===e} @click=${()=>{this.filter=e,this.read(1)}}>${t(n)}</button>`}call(e){let{visitorName:n,visitorEmail:r,message:a}=e;return s`<li>
      <span class=${e.duration===null?`quiet`:``}>${C(e.media===`video`?`camera`:`phone`,18)}</span>
      <div class="who"><strong>${n||t(`aVisitor`)}</strong>
        ${r?s` <a href="mailto:${r}">${r}</a>`:i}
        <p class="quiet small">${X(e)}</p></div>
      <div class="when quiet small"><time datetime=${e.createTime}>${x(e.createTime)}</time></div>
      ${a?s`<blockquote>${a}</blockquote>`:i}
    </li>`}async read(e){let n=this.filter===`missed`?`&reason=${G}`:`&state=ended`;try{let t=await fetch(`${U}?pageIndex=${e}&pageSize=${W}${n}`),r=await t.json();if(this.error=t.ok?``:r.message,!t.ok)return;this.calls=e===1?r.audioVideoChats:[...this.calls??[],...r.audioVideoChats],this.page=e,this.hasOlder=r.nextPage!==``}catch{this.error=t(`loadFailed`)}}};u([o({attribute:!1})],q.prototype,`desk`,void 0),u([n()],q.prototype,`calls`,void 0),u([n()],q.prototype,`filter`,void 0),u([n()],q.prototype,`hasOlder`,void 0),u([n()],q.prototype,`error`,void 0),q=u([d(`visavis-history`)],q);var J={missed:`outcomeMissed`,declined:`outcomeDeclined`,cancelled:`outcomeCancelled`,abandoned:`outcomeAbandoned`,failed:`outcomeFailed`,disabled:`outcomeDisabled`,recordingUnavailable:`outcomeUnrecordable`,shutDown:`outcomeShutDown`},Y=({recordingId:e,recordingState:n,missingMedia:r})=>n===`deleted`?t(`recordingDeleted`):e===null?``:t(r.length?`recordedIncompletely`:`recorded`),X=e=>{let{state:n,reason:r,duration:i,agentName:a}=e;return[n===`ended`?r===`hungUp`?``:t(J[r??``]??`outcomeFailed`):t(`goesOn`),i===null?``:S(i),a,Y(e)].filter(Boolean).join(` · `)},Z=class extends r{constructor(...e){super(...e),this.ticking=0,this.watch=new _(this,()=>this.desk)}static{this.styles=[c,e`
      ul { list-style: none; margin: 0; padding: 0; display: grid; gap: 1rem; }
      li { display: flex; flex-wrap: wrap; gap: 1rem; align-items: center; padding: 1.25rem; border-radius: 16px; background: var(--card); border: 2px solid var(--accent); }
      .face { width: 3.25rem; height: 3.25rem; border-radius: 50%; display: grid; place-items: center; background: var(--accent); color: var(--on-accent); flex: none; animation: ring 1.8s ease-out infinite; }
      @keyframes ring { from { box-shadow: 0 0 0 0 color-mix(in srgb, var(--accent) 60%, transparent); } to { box-shadow: 0 0 0 0.9rem transparent; } }
      .who { flex: 1 1 12rem; min-width: 0; overflow-wrap: anywhere; }
      .who h2, .who p { margin: 0; }
      .stopped { opacity: 0.6; border-style: dashed; } .stopped .face { animation: none; }
      .bar[hidden] { display: none; }
      .bar { display: flex; flex-wrap: wrap; gap: 0.5rem; }
    `]}connectedCallback(){super.connectedCallback(),this.ticking=window.setInterval(()=>this.requestUpdate(),1e3)}disconnectedCallback(){super.disconnectedCallback(),clearInterval(this.ticking)}firstUpdated(e){document.activeElement===document.body&&this.renderRoot.querySelector(`h2`)?.focus()}render(){return s`<ul aria-live="assertive" aria-label=${t(`ringing`)}>${this.desk.rings.map(e=>this.ring(e))}</ul>`}ring(e){let n=e.media===`video`,r=t=>()=>this.desk.accept(e,t),o=s`<button class=${n?`primary`:``} data-accept="video" @click=${r(`video`)}>${C(`camera`)} ${t(n?`accept`:`acceptWithVideo`)}</button>`,c=s`<button class=${n?``:`primary`} data-accept="audio" @click=${r(`audio`)}>${C(`phone`)} ${t(n?`acceptWithAudio`:`accept`)}</button>`;return s`<li class=${e.stopped===void 0?``:`stopped`}>
      <span class="face">${C(n?`camera`:`phone`,26)}</span>
      <div class="who">
        <h2 tabindex="-1">${e.visitorName||t(`aVisitor`)}</h2>
        <p>${t(n?`videoCall`:`audioCall`)}${e.visitorEmail?s` · ${e.visitorEmail}`:i}</p>
        ${e.transferredBy?s`<p>${t(`transferredBy`)} ${e.transferredBy}</p>`:i}
        ${e.note?s`<p class="note">${t(`note`)}: ${e.note}</p>`:i}
        <p class="quiet small"><span aria-hidden="true">${S((Date.now()-Date.parse(e.since))/1e3)}</span>${e.isRecorded?s` · ${t(`willBeRecorded`)}`:i}</p>
      </div>
      ${e.stopped===void 0?i:s`<p class="bar">${a(e.stopped)}</p>`}
      <div class="bar" ?hidden=${e.stopped!==void 0}>${n?[o,c]:[c,o]}
        <button @click=${()=>this.desk.decline(e)}>${t(`decline`)}</button></div>
    </li>`}};u([o({attribute:!1})],Z.prototype,`desk`,void 0),Z=u([d(`visavis-rings`)],Z);var Q=class extends r{constructor(...e){super(...e),this.join=``,this.stage=`idle`,this.isChoosing=!1,this.waitingCount=0,this.announcer=new j(`${t(`console`)} · Visavis`),this.watch=new _(this,()=>this.desk)}static{this.styles=[c,R]}async connectedCallback(){super.connectedCallback(),Object.assign(window,{visavisConsole:this}),this.join||await T();let e=this.join?`?join=${encodeURIComponent(this.join)}`:``;this.desk=new H(h(location.origin,`/signaling/agent${e}`),`visavis.desk${e}`,()=>{this.askSession()}),this.requestUpdate()}disconnectedCallback(){super.disconnectedCallback(),this.desk?.close()}get peerConnection(){return this.desk?.conversation?.link?.connection}willUpdate(e){if(!this.desk)return;this.stage=this.desk.stage,this.desk.conversation||(this.isChoosing=!1);let{hasCall:t,ringing:n,queue:r}=this.desk;this.announcer.announce(t?[]:n),t&&r.length>this.waitingCount&&this.announcer.knock(),this.waitingCount=r.length}updated(e){e.get(`stage`)===`idle`&&this.renderRoot.querySelector(`#call`)?.focus()}render(){if(!this.desk)return i;let{desk:e}=this;return s`
      ${this.head(e)}
      <main class=${this.join?`alone`:``}>
        <div class="middle">
          <div role="status">${this.status(e)}</div>
          ${e.notice?s`<div class="notice" role="alert"><p>${e.notice}</p><button class="round" aria-label=${t(`close`)} @click=${()=>e.dismissNotice()}>${C(`close`,16)}</button></div>`:i}
          ${e.hasCall?this.call(e):this.waiting(e)}
          ${this.join?i:s`<visavis-history .desk=${e}></visavis-history>`}
        </div>
        ${this.join?i:s`<aside aria-label=${t(`aroundTheCall`)}><visavis-side .desk=${e}></visavis-side></aside>`}
      </main>
    `}head(e){return s`<header>
      <strong>Visavis · ${t(`console`)}</strong>
      ${this.join?i:s`
        <label class="presence"><input type="checkbox" role="switch" .checked=${e.isAvailable&&e.isOnline} ?disabled=${!e.isOnline||!e.mayAccept}
          @change=${t=>e.setAvailable(t.target.checked)} />${t(`available`)}</label>
        <span class="quiet name">${e.agentName}</span>
        <nav aria-label="Visavis"><a href="/library">${t(`library`)}</a><a href="/admin">${t(`settings`)}</a></nav>
        <button @click=${w}>${t(`signOut`)}</button>`}
    </header>`}status(e){switch(e.state){case`reconnecting`:return s`<p class="line error">${C(`warning`)} ${t(`lostSignaling`)}</p>`;case`mayNot`:return s`<p class="line error">${C(`warning`)} ${t(`mayNot`)}</p>`;case`inCall`:return this.join?i:s`<p class="line quiet">${C(`phone`)} ${t(`youAreInCall`)} ${$(e.queue.length)}</p>`;case`disabled`:return s`<p class="line warn">${C(`warning`)} ${t(`disabled`)}</p>`;case`away`:return this.join?i:s`<p class="line warn">${C(`pause`)} ${t(`youAreAway`)}</p>`;case`available`:return this.join?i:s`<p class="line quiet">${C(`good`)} ${t(`online`)}</p>`}}waiting(e){return e.rings.length?s`<visavis-rings .desk=${e}></visavis-rings>`:s`<section class="card empty">
      <span class="face">${C(`phone`,28)}</span>
      <h1>${t(this.join?`waitingForVisitor`:`noCalls`)}</h1>
      <p class="quiet">${t(this.join?`waitingForVisitorHelp`:`noCallsHelp`)}</p>
      ${j.mayAsk&&!this.join?s`<button @click=${this.askNotifications}>${C(`bell`)} ${t(`notifyMe`)}</button>`:i}
    </section>`}call(e){let{conversation:n,stage:r}=e,a=n?.otherName||t(`aVisitor`),o=n&&r!==`connecting`;return s`<section class="card call" id="call" tabindex="-1" aria-label="${t(o?`connected`:`connecting`)}: ${a}">
      ${n?this.details(n.details):i}
      ${o?s`<visavis-call .conversation=${n} heading=${a} ?isReconnecting=${r===`reconnecting`} ?isOnline=${e.isOnline} @hang-up=${()=>e.hangUp()}>
            ${this.recording(e,n)} ${this.join?i:this.transfer(e)}
          </visavis-call>`:s`<div class="empty"><span class="face turning">${C(`phone`,28)}</span><p role="status">${t(r===`reconnecting`?`reconnecting`:`connecting`)}</p>
            <button class="danger" @click=${()=>e.hangUp()}>${C(`hangUp`)} ${t(`hangUp`)}</button></div>`}
    </section>`}details({visitorEmail:e,transferredBy:n,note:r}){return!e&&!n?i:s`<div class="details small">
      ${e?s`<p>${e}</p>`:i}
      ${n?s`<p>${t(`transferredBy`)} ${n}${r?s`: ${r}`:i}</p>`:i}
    </div>`}recording(e,{recording:n}){let r=n?.state??`off`,[i,a]={off:[`start`,`startRecording`],on:[`pause`,`pauseRecording`],paused:[`resume`,`resumeRecording`]}[r];return s`<button slot="controls" class="round" id="record" aria-label=${t(a)} title=${t(a)} @click=${()=>e.record(i)}>${C(r===`on`?`pause`:`record`)}</button>`}transfer(e){let n=e.team.filter(({agentId:t})=>t!==e.agentId);return s`
      <button slot="controls" class="round" id="transfer" aria-label=${t(`transfer`)} title=${t(`transfer`)} aria-expanded=${this.isChoosing} @click=${this.toggleTransfer}>${C(`transfer`)}</button>
      <div slot="panel" class="team" ?hidden=${!this.isChoosing} @keydown=${this.onTeamKey}>
        <h2 id="transfer-to">${t(`transferTo`)}</h2>
        <label class="field">${t(`transferNote`)}<input name="note" maxlength="1000" autocomplete="off" /></label>
        ${e.transferringTo?s`<p role="status">${t(`transferRings`).replace(`%`,e.transferringTo)}</p>`:i}
        ${n.length?s`<ul aria-labelledby="transfer-to">${n.map(t=>this.colleague(e,t))}</ul>`:s`<p class="quiet">${t(`noColleagues`)}</p>`}
      </div>`}colleague(e,n){let r=n.state===`available`&&!e.transferringTo;return s`<li><span class="dot ${n.state}"></span><span class="who">${n.name} <span class="quiet small">${t(n.state)}</span></span>
      <button ?disabled=${!r} aria-label="${t(`transferTo`)} ${n.name}" @click=${()=>e.transfer(n,this.transferNote)}>${t(`ring`)}</button></li>`}get transferNote(){return this.renderRoot.querySelector(`input[name="note"]`)?.value.trim()??``}toggleTransfer(){this.isChoosing=!this.isChoosing,this.requestUpdate()}onTeamKey(e){e.key===`Escape`&&(this.toggleTransfer(),this.renderRoot.querySelector(`#transfer`)?.focus())}async askNotifications(){await j.ask(),this.requestUpdate()}async askSession(){if(!this.join)try{await T()}catch{}}};u([o()],Q.prototype,`join`,void 0),u([o({reflect:!0,attribute:`data-state`})],Q.prototype,`stage`,void 0),Q=u([d(`visavis-console`)],Q);var $=e=>e?e===1?t(`callerWaits`):t(`callersWait`).replace(`%`,String(e)):``;export{Q as t};