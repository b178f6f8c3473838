import{a as e,c as t,f as n,h as r,l as i,n as a,o,r as s,s as c,t as l,u}from"./decorate.js";import{c as d,d as f,l as p,n as m,o as h,r as g,s as _,t as v,u as y}from"./protocol.js";import{n as b,t as x}from"./format.js";import{t as S}from"./icons.js";import{n as C,t as w}from"./session.js";var T=2e3,E=class{constructor(){this.timer=0}ring(e){e!==this.timer>0&&(clearInterval(this.timer),this.timer=e?window.setInterval(()=>this.chime(),T):0,e&&this.chime())}chime(){this.audio??=new AudioContext,[660,880].forEach((e,t)=>this.tone(this.audio,e,t*.25))}tone(e,t,n){let[r,i]=[e.createOscillator(),e.createGain()],a=e.currentTime+n;r.frequency.value=t,i.gain.setValueAtTime(0,a),i.gain.linearRampToValueAtTime(.15,a+.03),i.gain.exponentialRampToValueAtTime(.001,a+.5),r.connect(i).connect(e.destination),r.start(a),r.stop(a+.5)}},D=1e3,O=class{constructor(e){this.title=e,this.ringer=new E,this.shown=new Map,this.blinking=0}static get mayAsk(){return`Notification`in window&&Notification.permission==="default"}static async ask(){await Notification.requestPermission()}announce(e){this.ringer.ring(e.length>0),this.entitle(e[0]);for(let t of e)this.notify(t);let t=new Set(e.map(({callId:e})=>e));for(let[e,n]of this.shown)t.has(e)||(n.close(),this.shown.delete(e))}entitle(e){if(clearInterval(this.blinking),document.title=this.title,!e)return;let t=`☎ ${k(e)}`;document.title=t,matchMedia(`(prefers-reduced-motion: reduce)`).matches||(this.blinking=window.setInterval(()=>{document.title=document.title===t?this.title:t},D))}notify(t){if(!(`Notification`in window&&Notification.permission===`granted`&&document.hidden)||this.shown.has(t.callId))return;let n=e(t.media===`video`?`videoCall`:`audioCall`),r=new Notification(k(t),{body:n,tag:t.callId,requireInteraction:!0});r.onclick=()=>{window.focus(),r.close()},this.shown.set(t.callId,r)}},k=t=>`${e(`callFrom`)} ${t.visitorName||e(`aVisitor`)}`,A={available:`available`,busy:`busy`,away:`away`},j=class extends i{constructor(...e){super(...e),this.ticking=0,this.watch=new f(this,()=>this.desk)}static{this.styles=[a,r`
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
    `]}connectedCallback(){super.connectedCallback(),this.ticking=window.setInterval(()=>this.requestUpdate(),1e3)}disconnectedCallback(){super.disconnectedCallback(),clearInterval(this.ticking)}render(){let{queue:e,visitors:t,visitorCount:r,team:i}=this.desk;return n`
      ${M(`queue`,`waitingCalls`,e.length,e.map(e=>this.waiting(e)),`noQueue`)}
      ${M(`visitors`,`visitorsHere`,r,t.map(e=>this.visitor(e)),`noVisitors`)}
      ${M(`team`,`team`,i.length,i.map(e=>this.member(e)),`noTeam`)}
    `}waiting({visitorName:t,media:r,since:i}){return n`<li>${S(r===`video`?`camera`:`phone`,18)}
      <span class="who"><strong>${t||e(`aVisitor`)}</strong></span>
      <span class="quiet small time">${N(i)}</span></li>`}visitor(t){let{desk:r}=this,i=t.name||e(`aVisitor`),a=r.invitedId===t.visitorId;return n`<li>
      <span class="who"><strong>${i}</strong><span class="quiet small">${t.page} · <span class="time">${N(t.since)}</span></span></span>
      <button ?disabled=${r.hasCall||!r.isEnabled} aria-label="${e(`invite`)}: ${i}" @click=${()=>r.invite(t,`video`)}>
        ${e(a?`invitedAlready`:`invite`)}
      </button></li>`}member({agentId:t,name:r,state:i}){return n`<li><span class="dot ${i}"></span>
      <span class="who"><strong>${r}${t===this.desk.agentId?n` <span class="quiet">(${e(`you`)})</span>`:u}</strong></span>
      <span class="quiet small">${e(A[i])}</span></li>`}};l([c({attribute:!1})],j.prototype,`desk`,void 0),j=l([t(`visavis-side`)],j);var M=(t,r,i,a,o)=>n`
  <section class="card" aria-labelledby=${t}>
    <h2 id=${t}>${e(r)} <span>${i}</span></h2>
    ${a.length?n`<ul class="scroll" tabindex=${a.length>5?0:u}>${a}</ul>`:n`<p class="quiet small">${e(o)}</p>`}
  </section>`,N=e=>x((Date.now()-Date.parse(e))/1e3),P=r`
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
`,F=30,I={connected:`connected`,reconnecting:`reconnecting`},L=class extends y{constructor(e,t,n){super(),this.memoryKey=t,this.onClosed=n,this.stage=`idle`,this.agentId=0,this.agentName=``,this.mayAccept=!0,this.isAvailable=!0,this.isOnline=!1,this.isEnabled=!1,this.rings=[],this.queue=[],this.visitors=[],this.visitorCount=0,this.team=[],this.notice=``,this.transferringTo=``,this.invitedId=``,this.endings=0,this.media=`video`,this.callId=``,this.opening=Promise.resolve(void 0),this.acquisition=new AbortController,this.isResuming=!1,this.hasAccepted=!1,this.iceServers=[],this.patience=0,this.forsaken=``,this.onPageHide=()=>this.remember(),this.signaling=new d(e,e=>this.hear(e),e=>this.onOpen(e),()=>this.hasCall,()=>this.refusedByServer()),addEventListener(`pagehide`,this.onPageHide);let r=h(()=>localStorage,t);r&&this.resume(r)}get ringing(){return this.rings}get hasCall(){return this.callId!==``}close(){removeEventListener(`pagehide`,this.onPageHide),this.leave(),this.signaling.close()}async accept(e,t){if(this.hasCall)return;let{visitorEmail:n,transferredBy:r,note:i}=e,a=await this.open(e.callId,t,e.visitorName);a&&(a.details={visitorEmail:n,transferredBy:r,note:i},this.hasAccepted=!0,this.signaling.send({type:`accept`,callId:e.callId,media:t}))}decline({callId:e}){this.signaling.send({type:`decline`,callId:e}),this.stopRinging(e),this.changed()}hangUp(){let{callId:e}=this;this.isResuming?this.forsake(e):this.signaling.isOpen?this.signaling.send({type:`hangUp`,callId:e}):this.forsaken=e,this.finish(``)}setAvailable(e){this.isAvailable=e,this.signaling.send({type:`presence`,isAvailable:e}),this.changed()}invite({visitorId:e},t){this.signaling.send({type:`invite`,visitorId:e,media:t}),this.invitedId=e,this.changed()}transfer({agentId:e,name:t},n=``){this.signaling.send({type:`transfer`,callId:this.callId,agentId:e,note:n}),this.transferringTo=t,this.changed()}record(e){this.signaling.send({type:`record`,callId:this.callId,action:e})}dismissNotice(){this.notice=``,this.changed()}hear(e){switch(e.type){case`welcome`:this.agentId=e.agentId,this.agentName=e.agentName,this.mayAccept=e.mayAcceptCalls,this.isAvailable=e.isAvailable;break;case`availability`:this.isEnabled=e.isEnabled;break;case`iceServers`:this.iceServers=e.servers;break;case`ring`:this.rings=[...this.rings.filter(t=>t.callId!==e.callId),e];break;case`ringStopped`:this.ringStopped(e.callId,e.reason);break;case`mine`:this.take(e);break;case`refused`:this.refused(e);break;default:this.hearMore(e)}this.changed()}hearMore(t){switch(t.type){case`team`:this.team=t.members;break;case`queue`:this.queue=t.calls;break;case`visitors`:this.visitors=t.visitors,this.visitorCount=t.count;break;case`transferFailed`:this.notice=e(`transferFailed`).replace(`%`,this.transferringTo),this.transferringTo=``;break;case`ended`:t.callId===this.callId&&this.finish(s(t.reason));break;default:t.callId===this.callId&&this.hearOfCall(t)}}async hearOfCall(e){let t=await this.opening;t&&e.callId===this.callId&&(t.hear(e),e.type===`callState`&&(this.stage=I[e.state]??this.stage),this.changed())}ringStopped(t,n){this.stopRinging(t),t!==this.callId||this.hasAccepted||this.finish(n===`accepted`?e(`takenByColleague`):s(n))}stopRinging(e){this.rings=this.rings.filter(t=>t.callId!==e)}async take({callId:e,media:t,visitorName:n,visitorEmail:r}){if(e===this.callId){this.hasAccepted=!0;return}let i=await this.open(e,t,n);i?i.details={visitorEmail:r,transferredBy:``,note:``}:this.signaling.send({type:`hangUp`,callId:e})}open(e,t,n){return Object.assign(this,{callId:e,media:t,stage:`connecting`,notice:``,invitedId:``}),this.hasAccepted=!1,this.acquisition=new AbortController,this.changed(),this.opening=this.begin(e,t,n,this.acquisition.signal),this.opening}async begin(e,t,n,r){try{let i=await m.open(t,r),a=new _(`agent`,i,{send:e=>this.signaling.send(e),isOpen:()=>this.signaling.isOpen,iceServers:()=>this.iceServers});return Object.assign(a,{callId:e,otherName:n}),a.addEventListener(`change`,()=>this.changed()),this.conversation=a,a}catch(t){if(r.aborted)return;this.isResuming&&this.forsake(e),this.finish(t.message);return}}refused({error:t,message:n,callId:r,id:i}){if(i&&this.conversation?.refuse(i)&&!v.includes(t))this.notice=n;else{if(this.hasCall&&r===this.callId){if(v.includes(t))return this.finish(e(`ended.hungUp`));if(this.stage===`connecting`)return this.finish(n)}this.transferringTo=``,this.invitedId=``,this.notice=n}}refusedByServer(){this.hasCall&&this.finish(e(`rightsEnded`))}onOpen(e){this.isOnline=e,clearTimeout(this.patience),e?this.greet():(this.onClosed(),Object.assign(this,{rings:[],queue:[],visitors:[],team:[],transferringTo:``}),this.hasCall&&(this.patience=window.setTimeout(()=>this.finish(s(`failed`)),F*1e3))),this.changed()}greetForsaken(){let e=this.forsaken;e&&(this.signaling.send({type:`resume`,callId:e,hasMedia:!0}),this.signaling.send({type:`hangUp`,callId:e}),this.forsaken=``)}greet(){let{callId:e,conversation:t}=this;this.greetForsaken(),this.isResuming||e&&(this.signaling.send({type:`resume`,callId:e,hasMedia:t?.hasMedia??!1}),t?.sendPending())}async resume(e){let{callId:t,media:n,otherName:r,since:i,lines:a,pending:o,details:s,hasCamera:c,isMuted:l}=e;this.isResuming=!0;let u=this.open(t,c?`video`:`audio`,r),{signal:d}=this.acquisition,f=await u;f&&!d.aborted&&(this.isResuming=!1,this.hasAccepted=!0,this.media=n,this.stage=`reconnecting`,Object.assign(f,{since:i,lines:a,pending:o,details:s}),f.own.setMuted(l),this.signaling.isOpen&&this.greet())}forsake(e){this.forsaken=e,this.signaling.isOpen&&this.greetForsaken()}remember(){let{conversation:e,media:t,callId:n}=this;if(!e)return;let{since:r,otherName:i,lines:a,pending:o,details:s,own:c}=e,l={isMuted:c.isMuted,hasCamera:!!c.camera,leftAt:Date.now()};g(()=>localStorage,this.memoryKey,{callId:n,secret:``,media:t,since:r,otherName:i,lines:a,pending:o,details:s,resumeSeconds:F,...l})}leave(){clearTimeout(this.patience),this.acquisition.abort(),this.isResuming=!1,this.conversation?.close(),this.conversation=void 0,this.callId=``,this.opening=Promise.resolve(void 0)}finish(e){this.leave(),Object.assign(this,{stage:`idle`,notice:e,transferringTo:``}),this.endings+=1,this.changed()}},R=`/v4/livechat/audioVideoChats`,z=15,B=`missed,declined,abandoned,cancelled`,V=500,H=class extends i{constructor(...e){super(...e),this.filter=`all`,this.hasOlder=!1,this.error=``,this.page=1,this.endings=-1,this.waiting=0,this.watch=new f(this,()=>this.desk)}static{this.styles=[a,r`
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
    `]}willUpdate(e){let{endings:t,queue:n,rings:r}=this.desk,i=t*1e6+n.length*1e3+r.length;if(i===this.endings)return;let a=this.endings===-1;this.endings=i,clearTimeout(this.waiting),this.waiting=window.setTimeout(()=>void this.read(1),a?0:V)}disconnectedCallback(){super.disconnectedCallback(),clearTimeout(this.waiting)}render(){return n`<section class="card" aria-labelledby="history">
      <div class="head">
        <h2 id="history">${e(`pastCalls`)}</h2>
        <div class="filters" role="group" aria-label=${e(`show`)}>${this.button(`all`,`allCalls`)}${this.button(`missed`,`missedCalls`)}</div>
      </div>
      ${this.error?n`<p class="error" role="alert">${this.error}</p>`:u}
      ${this.calls?.length===0?n`<p class="quiet small">${e(this.filter===`all`?`noPastCalls`:`noMissedCalls`)}</p>`:u}
      <ul>${this.calls?.map(e=>this.call(e))}</ul>
      ${this.hasOlder?n`<button @click=${()=>this.read(this.page+1)}>${e(`older`)}</button>`:u}
    </section>`}button(t,r){return n`<button aria-pressed=${this.filter===t} @click=${()=>{this.filter=t,this.read(1)}}>${e(r)}</button>`}call(t){let{visitorName:r,visitorEmail:i,message:a}=t;return n`<li>
      <span class=${t.duration===null?`quiet`:``}>${S(t.media===`video`?`camera`:`phone`,18)}</span>
      <div class="who"><strong>${r||e(`aVisitor`)}</strong>
        ${i?n` <a href="mailto:${i}">${i}</a>`:u}
        <p class="quiet small">${G(t)}</p></div>
      <div class="when quiet small"><time datetime=${t.createTime}>${b(t.createTime)}</time></div>
      ${a?n`<blockquote>${a}</blockquote>`:u}
    </li>`}async read(t){let n=this.filter===`missed`?`&reason=${B}`:`&state=ended`;try{let e=await fetch(`${R}?pageIndex=${t}&pageSize=${z}${n}`),r=await e.json();if(this.error=e.ok?``:r.message,!e.ok)return;this.calls=t===1?r.audioVideoChats:[...this.calls??[],...r.audioVideoChats],this.page=t,this.hasOlder=r.nextPage!==``}catch{this.error=e(`loadFailed`)}}};l([c({attribute:!1})],H.prototype,`desk`,void 0),l([o()],H.prototype,`calls`,void 0),l([o()],H.prototype,`filter`,void 0),l([o()],H.prototype,`hasOlder`,void 0),l([o()],H.prototype,`error`,void 0),H=l([t(`visavis-history`)],H);var U={missed:`outcomeMissed`,declined:`outcomeDeclined`,cancelled:`outcomeCancelled`,abandoned:`outcomeAbandoned`,failed:`outcomeFailed`,disabled:`outcomeDisabled`,recordingUnavailable:`outcomeUnrecordable`,shutDown:`outcomeShutDown`},W=({recordingId:t,recordingState:n,missingMedia:r})=>n===`deleted`?e(`recordingDeleted`):t===null?``:e(r.length?`recordedIncompletely`:`recorded`),G=t=>{let{state:n,reason:r,duration:i,agentName:a}=t;return[n===`ended`?r===`hungUp`?``:e(U[r??``]??`outcomeFailed`):e(`goesOn`),i===null?``:x(i),a,W(t)].filter(Boolean).join(` · `)},K=class extends i{constructor(...e){super(...e),this.ticking=0,this.watch=new f(this,()=>this.desk)}static{this.styles=[a,r`
      ul { list-style: none; margin: 0; padding: 0; display: grid; gap: 1rem; }
      li { display: flex; flex-wrap: wrap; gap: 1rem; align-items: center; padding: 1.25rem; border-radius: 16px; background: var(--card); border: 2px solid var(--accent); }
      .face { width: 3.25rem; height: 3.25rem; border-radius: 50%; display: grid; place-items: center; background: var(--accent); color: var(--on-accent); flex: none; animation: ring 1.8s ease-out infinite; }
      @keyframes ring { from { box-shadow: 0 0 0 0 color-mix(in srgb, var(--accent) 60%, transparent); } to { box-shadow: 0 0 0 0.9rem transparent; } }
      .who { flex: 1 1 12rem; min-width: 0; overflow-wrap: anywhere; }
      .who h2, .who p { margin: 0; }
      .bar { display: flex; flex-wrap: wrap; gap: 0.5rem; }
    `]}connectedCallback(){super.connectedCallback(),this.ticking=window.setInterval(()=>this.requestUpdate(),1e3)}disconnectedCallback(){super.disconnectedCallback(),clearInterval(this.ticking)}firstUpdated(e){document.activeElement===document.body&&this.renderRoot.querySelector(`h2`)?.focus()}render(){return n`<ul aria-live="assertive" aria-label=${e(`ringing`)}>${this.desk.rings.map(e=>this.ring(e))}</ul>`}ring(t){let r=t.media===`video`,i=e=>()=>this.desk.accept(t,e),a=n`<button class=${r?`primary`:``} data-accept="video" @click=${i(`video`)}>${S(`camera`)} ${e(r?`accept`:`acceptWithVideo`)}</button>`,o=n`<button class=${r?``:`primary`} data-accept="audio" @click=${i(`audio`)}>${S(`phone`)} ${e(r?`acceptWithAudio`:`accept`)}</button>`;return n`<li>
      <span class="face">${S(r?`camera`:`phone`,26)}</span>
      <div class="who">
        <h2 tabindex="-1">${t.visitorName||e(`aVisitor`)}</h2>
        <p>${e(r?`videoCall`:`audioCall`)}${t.visitorEmail?n` · ${t.visitorEmail}`:u}</p>
        ${t.transferredBy?n`<p>${e(`transferredBy`)} ${t.transferredBy}</p>`:u}
        ${t.note?n`<p class="note">${e(`note`)}: ${t.note}</p>`:u}
        <p class="quiet small"><span aria-hidden="true">${x((Date.now()-Date.parse(t.since))/1e3)}</span>${t.isRecorded?n` · ${e(`willBeRecorded`)}`:u}</p>
      </div>
      <div class="bar">${r?[a,o]:[o,a]}
        <button @click=${()=>this.desk.decline(t)}>${e(`decline`)}</button></div>
    </li>`}};l([c({attribute:!1})],K.prototype,`desk`,void 0),K=l([t(`visavis-rings`)],K);var q=class extends i{constructor(...t){super(...t),this.join=``,this.stage=`idle`,this.isChoosing=!1,this.announcer=new O(`${e(`console`)} · Visavis`),this.watch=new f(this,()=>this.desk)}static{this.styles=[a,P]}async connectedCallback(){super.connectedCallback(),Object.assign(window,{visavisConsole:this}),this.join||await w();let e=this.join?`?join=${encodeURIComponent(this.join)}`:``;this.desk=new L(p(location.origin,`/signaling/agent${e}`),`visavis.desk${e}`,()=>{this.askSession()}),this.requestUpdate()}disconnectedCallback(){super.disconnectedCallback(),this.desk?.close()}get peerConnection(){return this.desk?.conversation?.link?.connection}willUpdate(e){this.desk&&(this.stage=this.desk.stage,this.desk.conversation||(this.isChoosing=!1),this.announcer.announce(this.desk.hasCall?[]:this.desk.rings))}updated(e){e.get(`stage`)===`idle`&&this.renderRoot.querySelector(`#call`)?.focus()}render(){if(!this.desk)return u;let{desk:t}=this;return n`
      ${this.head(t)}
      <main class=${this.join?`alone`:``}>
        <div class="middle">
          <div role="status">${this.status(t)}</div>
          ${t.notice?n`<div class="notice" role="alert"><p>${t.notice}</p><button class="round" aria-label=${e(`close`)} @click=${()=>t.dismissNotice()}>${S(`close`,16)}</button></div>`:u}
          ${t.hasCall?this.call(t):this.waiting(t)}
          ${this.join?u:n`<visavis-history .desk=${t}></visavis-history>`}
        </div>
        ${this.join?u:n`<aside aria-label=${e(`aroundTheCall`)}><visavis-side .desk=${t}></visavis-side></aside>`}
      </main>
    `}head(t){return n`<header>
      <strong>Visavis · ${e(`console`)}</strong>
      ${this.join?u:n`
        <label class="presence"><input type="checkbox" role="switch" .checked=${t.isAvailable} ?disabled=${!t.isOnline||!t.mayAccept}
          @change=${e=>t.setAvailable(e.target.checked)} />${e(`available`)}</label>
        <span class="quiet name">${t.agentName}</span>
        <nav aria-label="Visavis"><a href="/library">${e(`library`)}</a><a href="/admin">${e(`settings`)}</a></nav>
        <button @click=${C}>${e(`signOut`)}</button>`}
    </header>`}status(t){return t.isOnline?t.mayAccept?t.isEnabled?this.join?u:t.isAvailable?n`<p class="line quiet">${S(`good`)} ${e(`online`)}</p>`:n`<p class="line warn">${S(`pause`)} ${e(`youAreAway`)}</p>`:n`<p class="line warn">${S(`warning`)} ${e(`disabled`)}</p>`:n`<p class="line error">${S(`warning`)} ${e(`mayNot`)}</p>`:n`<p class="line error">${S(`warning`)} ${e(`lostSignaling`)}</p>`}waiting(t){return t.rings.length?n`<visavis-rings .desk=${t}></visavis-rings>`:n`<section class="card empty">
      <span class="face">${S(`phone`,28)}</span>
      <h1>${e(this.join?`waitingForVisitor`:`noCalls`)}</h1>
      <p class="quiet">${e(this.join?`waitingForVisitorHelp`:`noCallsHelp`)}</p>
      ${O.mayAsk&&!this.join?n`<button @click=${this.askNotifications}>${S(`bell`)} ${e(`notifyMe`)}</button>`:u}
    </section>`}call(t){let{conversation:r,stage:i}=t,a=r?.otherName||e(`aVisitor`),o=r&&i!==`connecting`;return n`<section class="card call" id="call" tabindex="-1" aria-label="${e(o?`connected`:`connecting`)}: ${a}">
      ${r?this.details(r.details):u}
      ${o?n`<visavis-call .conversation=${r} heading=${a} ?isReconnecting=${i===`reconnecting`} ?isOnline=${t.isOnline} @hang-up=${()=>t.hangUp()}>
            ${this.recording(t,r)} ${this.join?u:this.transfer(t)}
          </visavis-call>`:n`<div class="empty"><span class="face turning">${S(`phone`,28)}</span><p role="status">${e(i===`reconnecting`?`reconnecting`:`connecting`)}</p>
            <button class="danger" @click=${()=>t.hangUp()}>${S(`hangUp`)} ${e(`hangUp`)}</button></div>`}
    </section>`}details({visitorEmail:t,transferredBy:r,note:i}){return!t&&!r?u:n`<div class="details small">
      ${t?n`<p>${t}</p>`:u}
      ${r?n`<p>${e(`transferredBy`)} ${r}${i?n`: ${i}`:u}</p>`:u}
    </div>`}recording(t,{recording:r}){let i=r?.state??`off`,[a,o]={off:[`start`,`startRecording`],on:[`pause`,`pauseRecording`],paused:[`resume`,`resumeRecording`]}[i];return n`<button slot="controls" class="round" id="record" aria-label=${e(o)} title=${e(o)} @click=${()=>t.record(a)}>${S(i===`on`?`pause`:`record`)}</button>`}transfer(t){let r=t.team.filter(({agentId:e})=>e!==t.agentId);return n`
      <button slot="controls" class="round" id="transfer" aria-label=${e(`transfer`)} title=${e(`transfer`)} aria-expanded=${this.isChoosing} @click=${this.toggleTransfer}>${S(`transfer`)}</button>
      <div slot="panel" class="team" ?hidden=${!this.isChoosing} @keydown=${this.onTeamKey}>
        <h2 id="transfer-to">${e(`transferTo`)}</h2>
        <label class="field">${e(`transferNote`)}<input name="note" maxlength="1000" autocomplete="off" /></label>
        ${t.transferringTo?n`<p role="status">${e(`transferRings`).replace(`%`,t.transferringTo)}</p>`:u}
        ${r.length?n`<ul aria-labelledby="transfer-to">${r.map(e=>this.colleague(t,e))}</ul>`:n`<p class="quiet">${e(`noColleagues`)}</p>`}
      </div>`}colleague(t,r){let i=r.state===`available`&&!t.transferringTo;return n`<li><span class="dot ${r.state}"></span><span class="who">${r.name} <span class="quiet small">${e(r.state)}</span></span>
      <button ?disabled=${!i} aria-label="${e(`transferTo`)} ${r.name}" @click=${()=>t.transfer(r,this.transferNote)}>${e(`ring`)}</button></li>`}get transferNote(){return this.renderRoot.querySelector(`input[name="note"]`)?.value.trim()??``}toggleTransfer(){this.isChoosing=!this.isChoosing,this.requestUpdate()}onTeamKey(e){e.key===`Escape`&&(this.toggleTransfer(),this.renderRoot.querySelector(`#transfer`)?.focus())}async askNotifications(){await O.ask(),this.requestUpdate()}async askSession(){if(!this.join)try{await w()}catch{}}};l([c()],q.prototype,`join`,void 0),l([c({reflect:!0,attribute:`data-state`})],q.prototype,`stage`,void 0),q=l([t(`visavis-console`)],q);export{q as t};