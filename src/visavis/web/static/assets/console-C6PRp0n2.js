import{c as e,f as t,g as n,h as r,i,l as a,m as o,n as s,o as c,p as l,r as u,s as d,t as f,v as p,x as m}from"./decorate-t_bKOMS2.js";import{i as h,l as g,n as _,r as v,t as y,u as b}from"./local-media-CFjYfOd4.js";import{n as x,t as S}from"./format-DdnngG-R.js";import{t as C}from"./icons-DtcLa5Vy.js";import{n as w}from"./observable-DkUD7H3Y.js";import{t as T}from"./en-errors-CP5f9I_7.js";import{t as E}from"./refusal-CBjRxXIj.js";import"./page-header-Dn5XINpE.js";import{r as ee,t as te}from"./session-CMND6Py3.js";var D=2e3,O=class{constructor(){this.timer=0}ring(e){e!==this.timer>0&&(clearInterval(this.timer),this.timer=e?window.setInterval(()=>this.chime([660,880]),D):0,e?this.chime([660,880]):this.silence())}knock(){this.chime([520])}chime(e){if(!(`AudioContext`in window))return;let t=this.audio??=new AudioContext;t.state===`running`?(this.output??=k(t),e.forEach((e,n)=>A(t,this.output,e,n*.25))):t.resume().catch(()=>void 0)}silence(){this.output?.disconnect(),this.output=void 0}},k=e=>{let t=e.createGain();return t.connect(e.destination),t},A=(e,t,n,r)=>{let[i,a]=[e.createOscillator(),e.createGain()],o=e.currentTime+r;i.frequency.value=n,a.gain.setValueAtTime(0,o),a.gain.linearRampToValueAtTime(.15,o+.03),a.gain.exponentialRampToValueAtTime(.001,o+.5),i.connect(a).connect(t),i.start(o),i.stop(o+.5)},j=1e3,M=class e{constructor(e){this.title=e,this.ringer=new O,this.shown=new Map,this.blinking=0}static get mayAsk(){return e.canNotify&&Notification.permission==="default"}static{this.canNotify=`Notification`in window}static async ask(){await Notification.requestPermission()}announce(e){this.ringer.ring(e.length>0),this.entitle(e[0]);for(let t of e)this.notify(t);let t=new Set(e.map(({callId:e})=>e));for(let[e,n]of this.shown)t.has(e)||(n.close(),this.shown.delete(e))}knock(){this.ringer.knock()}entitle(e){if(clearInterval(this.blinking),document.title=this.title,!e)return;let t=`☎ ${N(e)}`;document.title=t,matchMedia(`(prefers-reduced-motion: reduce)`).matches||(this.blinking=window.setInterval(()=>{document.title=document.title===t?this.title:t},j))}notify(t){if(!(e.canNotify&&Notification.permission===`granted`&&document.hidden)||this.shown.has(t.callId))return;let n=P(t);n?(n.onclick=()=>{window.focus(),n.close()},this.shown.set(t.callId,n)):e.canNotify=!1}},N=e=>`${a(`callFrom`)} ${e.visitorName||a(`aVisitor`)}`,P=e=>{let t=a(e.media===`video`?`videoCall`:`audioCall`);try{return new Notification(N(e),{body:t,tag:e.callId,requireInteraction:!0})}catch{return}},F={available:`available`,busy:`busy`,away:`away`},I=class extends r{constructor(...e){super(...e),this.ticking=0,this.watch=new w(this,()=>this.agentSession)}static{this.styles=[i,u,m`
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
    `]}connectedCallback(){super.connectedCallback(),this.ticking=window.setInterval(()=>this.requestUpdate(),1e3)}disconnectedCallback(){super.disconnectedCallback(),clearInterval(this.ticking)}render(){let{queue:e,visitors:t,visitorCount:n,team:r}=this.agentSession;return p`
      ${L(`queue`,`waitingCalls`,e.length,e.map(e=>this.waiting(e)),`noQueue`)}
      ${L(`visitors`,`visitorsHere`,n,t.map(e=>this.visitor(e)),`noVisitors`)}
      ${L(`team`,`team`,r.length,r.map(e=>this.member(e)),`noTeam`)}
    `}waiting({visitorName:e,media:t,since:n}){return p`<li>${C(t===`video`?`camera`:`phone`,18)}
      <span class="who"><strong>${e||a(`aVisitor`)}</strong></span>
      <span class="quiet small time">${S(this.agentSession.clock.age(n))}</span></li>`}visitor(e){let{agentSession:t}=this,n=e.name||a(`aVisitor`),r=t.invitedId===e.visitorId;return p`<li>
      <span class="who"><strong>${n}</strong><span class="quiet small"><bdi>${e.page}</bdi> · <span class="time">${S(t.clock.age(e.since))}</span></span></span>
      <button ?disabled=${t.hasCall||!t.isEnabled} aria-label="${a(`invite`)}: ${n}" @click=${()=>t.invite(e,`video`)}>
        ${a(r?`invitedAlready`:`invite`)}
      </button></li>`}member({agentId:e,name:t,state:r}){return p`<li><span class="dot ${r}"></span>
      <span class="who"><strong>${t}${e===this.agentSession.agentId?p` <span class="quiet">(${a(`you`)})</span>`:n}</strong></span>
      <span class="quiet small">${a(F[r])}</span></li>`}};f([l({attribute:!1})],I.prototype,`agentSession`,void 0),I=f([o(`visavis-side`)],I);var L=(e,t,r,i,o)=>p`
  <section class="card" aria-labelledby=${e}>
    <h2 id=${e}>${a(t)} <span>${r}</span></h2>
    ${i.length?p`<ul class="scroll" tabindex=${i.length>5?0:n}>${i}</ul>`:p`<p class="quiet small">${a(o)}</p>`}
  </section>`,R=m`
  :host { display: block; min-height: 100vh; }
  a { color: var(--accent); }
  .presence { display: inline-flex; gap: 0.6rem; align-items: center; font-weight: 600; min-height: 2.75rem; cursor: pointer; }
  input[role="switch"] { appearance: none; flex: none; width: 2.75rem; height: 1.6rem; margin: 0; border-radius: 999px; background: var(--quiet); position: relative; cursor: pointer; transition: background 0.15s; }
  input[role="switch"]::after { content: ""; position: absolute; inset: 0.2rem auto 0.2rem 0.2rem; width: 1.2rem; border-radius: 50%; background: var(--card); transition: translate 0.15s; }
  input[role="switch"]:checked { background: var(--accent); }
  input[role="switch"]:checked::after { translate: 1.15rem; }
  input[role="switch"]:disabled { opacity: 0.5; }
  main { max-width: var(--page-width); margin: 0 auto; padding: 1.25rem; display: grid; gap: 1.25rem; grid-template-columns: minmax(0, 1fr) 20rem; }
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
  ${u}
  ${s}
  @media (max-width: 62rem) {
    main { grid-template-columns: minmax(0, 1fr); }
    .middle { display: contents; }
    visavis-call-history { order: 1; } /* the queue comes before past calls */
  }
  @media (max-width: 40rem) {
    main { padding: 0.75rem; gap: 0.75rem; } .middle { gap: 0.75rem; }
    .call { padding: 0.6rem; }
  }
  @media (max-width: 26rem) {
    .presence { gap: 0.35rem; font-size: 0.9rem; }
  }
`,z=class{constructor(){this.offset=Date.now()-performance.now()}set(e){this.offset=Date.parse(e)-performance.now()}age(e){return(performance.now()+this.offset-Date.parse(e))/1e3}},B=3e3,V={connected:`connected`,reconnecting:`reconnecting`},H=class extends v{constructor(e,t,n=!1){super(`agent`,()=>localStorage,t),this.isJoin=n,this.stage=`idle`,this.agentId=0,this.agentName=``,this.mayAccept=!0,this.isAvailable=!0,this.isEnabled=!1,this.isOver=!1,this.rings=[],this.queue=[],this.visitors=[],this.visitorCount=0,this.team=[],this.transferringTo=``,this.invitedId=``,this.pastCallsRevision=``,this.clock=new z,this.callId=``,this.opening=Promise.resolve(void 0),this.isResuming=!1,this.hasAccepted=!1,this.connections=0,this.disconnections=0,this.hasEndedCall=!1,this.wasInCall=!1,this.start(e)}get ringing(){return this.rings.filter(({stopped:e})=>e===void 0)}get state(){return this.isOver?`over`:this.isOnline?this.mayAccept?this.hasCall?`inCall`:this.isEnabled?this.isAvailable?`available`:`away`:`disabled`:`mayNot`:`reconnecting`}get hasCall(){return this.callId!==``}async accept(e,t){if(this.hasCall)return;let{visitorEmail:n,transferredBy:r,note:i}=e;this.resumeSeconds=e.resumeSeconds;let a=await this.open(e.callId,t,e.visitorName);a&&(a.details={visitorEmail:n,transferredBy:r,note:i},this.hasAccepted=!0,this.signaling.send({type:`accept`,callId:e.callId,media:t}))}decline({callId:e}){this.signaling.send({type:`decline`,callId:e}),this.stopRinging(e,`declined`),this.changed()}hangUp(){this.abandon({callId:this.callId},!this.isResuming),this.finish(``),this.endLink()}setAvailable(e){this.isAvailable=e,this.signaling.send({type:`presence`,isAvailable:e}),this.changed()}invite({visitorId:e},t){this.signaling.send({type:`invite`,visitorId:e,media:t}),this.invitedId=e,this.changed()}transfer({agentId:e,name:t},n=``){this.signaling.send({type:`transfer`,callId:this.callId,agentId:e,note:n}),this.transferringTo=t,this.changed()}record(e){this.signaling.send({type:`record`,callId:this.callId,action:e})}dismissNotice(){this.notice=``,this.changed()}dismissUnsent(){this.unsent=``,this.changed()}receive(e){switch(e.type){case`welcome`:this.agentId=e.agentId,this.agentName=e.agentName,this.mayAccept=e.mayAcceptCalls,this.isAvailable=e.isAvailable,this.clock.set(e.now);break;case`presence`:this.isAvailable=e.isAvailable;break;case`availability`:this.isEnabled=e.isEnabled;break;case`iceServers`:this.iceServers=e.servers;break;case`ring`:this.ringHere(e);break;case`ringStopped`:this.ringStopped(e.callId,e.reason);break;case`mine`:this.take(e);break;case`refused`:this.refused(e);break;default:this.hearMore(e)}this.changed()}hearMore(e){switch(e.type){case`team`:this.team=e.members;break;case`queue`:this.queue=e.calls;break;case`visitors`:this.visitors=e.visitors,this.visitorCount=e.count;break;case`pastCalls`:this.pastCallsRevision=`${this.connections}.${e.revision}`;break;case`transferFailed`:this.notice=a(`transferFailed`).replace(`%`,this.transferringTo),this.transferringTo=``;break;case`ended`:if(e.callId!==this.callId)break;this.finish(d(e.reason)),this.endLink();break;default:e.callId===this.callId&&this.hearOfCall(e)}}async hearOfCall(e){let t=await this.opening;t&&e.callId===this.callId&&(t.hear(e),e.type===`callState`&&(this.stage=V[e.state]??this.stage),this.wasInCall||=this.stage===`connected`,this.changed())}ringStopped(e,t){this.stopRinging(e,t),e!==this.callId||this.hasAccepted||this.finish(t===`accepted`?a(`takenByColleague`):d(t))}ringHere(e){let t=this.rings.some(({callId:t})=>t===e.callId);this.rings=t?this.rings.map(t=>t.callId===e.callId?e:t):[...this.rings,e]}stopRinging(e,t){this.ringing.some(t=>t.callId===e)&&(this.rings=this.rings.map(n=>n.callId===e?{...n,stopped:t}:n),setTimeout(()=>{this.rings=this.rings.filter(t=>t.callId!==e||t.stopped===void 0),this.changed()},B))}async take(e){let{callId:t,media:n,visitorName:r,visitorEmail:i,resumeSeconds:a,transferringTo:o}=e;if(this.resumeSeconds=a,this.transferringTo=this.team.find(({agentId:e})=>e===o)?.name??``,t===this.callId){this.hasAccepted=!0;return}let s=await this.open(t,n,r);s?s.details={visitorEmail:i,transferredBy:``,note:``}:this.signaling.send({type:`hangUp`,callId:t})}open(e,t,n){Object.assign(this,{callId:e,media:t,stage:`connecting`,notice:``,invitedId:``}),this.hasAccepted=!1;let r=this.newAcquisition();return this.changed(),this.opening=this.begin(e,t,n,r),this.opening}async begin(e,t,n,r){try{let i=await y.open(t,r);return Object.assign(this.beginConversation(i),{callId:e,otherName:n})}catch(t){if(r.aborted)return;this.isResuming&&this.abandon({callId:e}),this.finish(t.message);return}}refused(e){let{error:t,code:n,callId:r}=e,i=E(T,e);if(this.isRefusedLine(e))this.notice=i;else{if(this.hasCall&&r===this.callId){if(n===`CallOfColleague`)return this.finish(i);if(g.includes(t))return this.finish(a(`ended.hungUp`));if(this.stage===`connecting`)return this.finish(i)}this.transferringTo=``,this.invitedId=``,this.notice=i}}refusedByServer(){return this.hasCall&&this.finish(a(`rightsEnded`)),this.endLink(),this.isOver}endLink(){this.isJoin&&!this.isOver&&(this.isOver=!0,this.hasEndedCall=this.wasInCall,this.signaling.close(),this.changed())}disconnected(){this.disconnections+=1,Object.assign(this,{rings:[],queue:[],visitors:[],team:[],transferringTo:``})}giveUp(){this.finish(d(`failed`))}greet(){this.connections+=1,this.hangUpAbandoned();let{callId:e,conversation:t}=this;e&&!this.isResuming&&this.resumeOnServer({callId:e},t?.hasMedia??!1)}async resume(e){let{callId:t,media:n,otherName:r,hasCamera:i}=e;this.isResuming=!0,this.resumeSeconds=e.resumeSeconds;let a=this.open(t,i?`video`:`audio`,r),{signal:o}=this.acquisition,s=await a;s||(this.unsent=_(e)),s&&!o.aborted&&(this.isResuming=!1,this.hasAccepted=!0,this.media=n,this.stage=`reconnecting`,this.restore(s,e),this.signaling.isOpen&&this.resumeOnServer({callId:t},s.hasMedia))}loseCall(e){this.unsent=_(e)}leave(){super.leave(),this.isResuming=!1,this.callId=``,this.opening=Promise.resolve(void 0)}finish(e){this.unsent=this.conversation&&_(this.conversation)||this.unsent,this.leave(),Object.assign(this,{stage:`idle`,notice:e,transferringTo:``}),this.changed()}},U=`/v4/livechat/audioVideoChats`,W=15,G=2e4,K=1e3,q=class extends r{constructor(...e){super(...e),this.filter=`all`,this.hasOlder=!1,this.error=``,this.waiting=0,this.watch=new w(this,()=>this.agentSession)}static{this.styles=[i,m`
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
    `]}willUpdate(e){let{pastCallsRevision:t}=this.agentSession;if(t===this.revision)return;let n=this.revision===void 0;this.revision=t,clearTimeout(this.waiting),this.waiting=window.setTimeout(()=>void this.read(1),n?0:Math.random()*K)}disconnectedCallback(){super.disconnectedCallback(),clearTimeout(this.waiting)}render(){return p`<section class="card" aria-labelledby="history">
      <div class="head">
        <h2 id="history">${a(`pastCalls`)}</h2>
        <div class="filters" role="group" aria-label=${a(`show`)}>${this.button(`all`,`allCalls`)}${this.button(`missed`,`missedCalls`)}</div>
      </div>
      ${this.error?p`<p class="error" role="alert">${this.error}</p>`:n}
      ${this.calls?.length===0?p`<p class="quiet small">${a(this.filter===`all`?`noPastCalls`:`noMissedCalls`)}</p>`:n}
      <ul>${this.calls?.map(e=>this.call(e))}</ul>
      ${this.hasOlder?p`<button @click=${()=>this.read(Math.floor((this.calls?.length??0)/W)+1)}>${a(`older`)}</button>`:n}
    </section>`}button(e,t){return p`<button aria-pressed=${this.filter===e} @click=${()=>{this.filter=e,this.calls=void 0,this.read(1)}}>${a(t)}</button>`}call(e){let{visitorName:t,visitorEmail:r,message:i}=e;return p`<li>
      <span class=${e.connectTime===null?`quiet`:``}>${C(e.media===`video`?`camera`:`phone`,18)}</span>
      <div class="who"><strong>${t||a(`aVisitor`)}</strong>
        ${r?p` <a href=${re(r)}>${r}</a>`:n}
        <p class="quiet small">${ne(e)}</p></div>
      <div class="when quiet small"><time datetime=${e.createTime}>${x(e.createTime)}</time></div>
      ${i?p`<blockquote>${i}</blockquote>`:n}
    </li>`}async read(e){let{filter:t}=this,n=t===`missed`?`&isAnswered=false`:``;try{let r=`pageIndex=${e}&pageSize=${W}&state=ended${n}`,i=await fetch(`${U}?${r}`,{signal:AbortSignal.timeout(G)}),a=await i.json();if(t!==this.filter||(this.error=i.ok?``:E(T,a),!i.ok))return;let o=e>1||(this.calls?.length??0)<=W;this.calls=J(this.calls??[],a.audioVideoChats),o&&(this.hasOlder=a.nextPage!==``)}catch{this.error=a(`loadFailed`)}}};f([l({attribute:!1})],q.prototype,`agentSession`,void 0),f([t()],q.prototype,`calls`,void 0),f([t()],q.prototype,`filter`,void 0),f([t()],q.prototype,`hasOlder`,void 0),f([t()],q.prototype,`error`,void 0),q=f([o(`visavis-call-history`)],q);var J=(e,t)=>[...new Map([...e,...t].map(e=>[e.id,e])).values()].sort((e,t)=>e.createTime<t.createTime?1:-1),Y={missed:`outcomeMissed`,declined:`outcomeDeclined`,cancelled:`outcomeCancelled`,abandoned:`outcomeAbandoned`,failed:`outcomeFailed`,disabled:`outcomeDisabled`,recordingUnavailable:`outcomeUnrecordable`,shutDown:`outcomeShutDown`},X=({recordingId:e,recordingState:t,missingMedia:n})=>t===`deleted`?a(`recordingDeleted`):e===null?``:a(n.length?`recordedIncompletely`:`recorded`),Z=({reason:e,connectTime:t})=>e===`hungUp`?t===null?a(`outcomeUnconnected`):``:a(Y[e??``]??`outcomeFailed`),ne=e=>{let{state:t,duration:n,agentName:r}=e;return[t===`ended`?Z(e):a(`goesOn`),n===null?``:S(n),r,X(e)].filter(Boolean).join(` · `)},re=e=>{let t=e.lastIndexOf(`@`),n=[e.slice(0,t),e.slice(t+1)].map(encodeURIComponent);return t<0?`mailto:${encodeURIComponent(e)}`:`mailto:${n.join(`@`)}`},Q=class extends r{constructor(...e){super(...e),this.ticking=0,this.watch=new w(this,()=>this.agentSession)}static{this.styles=[i,m`
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
    `]}connectedCallback(){super.connectedCallback(),this.ticking=window.setInterval(()=>this.requestUpdate(),1e3)}disconnectedCallback(){super.disconnectedCallback(),clearInterval(this.ticking)}firstUpdated(e){document.activeElement===document.body&&this.renderRoot.querySelector(`h2`)?.focus()}render(){return p`<ul aria-live="assertive" aria-label=${a(`ringing`)}>${this.agentSession.rings.map(e=>this.ring(e))}</ul>`}ring(t){let r=t.media===`video`,i=e=>()=>this.agentSession.accept(t,e),o=p`<button class=${r?`primary`:``} data-accept="video" @click=${i(`video`)}>${C(`camera`)} ${a(r?`accept`:`acceptWithVideo`)}</button>`,s=p`<button class=${r?``:`primary`} data-accept="audio" @click=${i(`audio`)}>${C(`phone`)} ${a(r?`acceptWithAudio`:`accept`)}</button>`;return p`<li class=${t.stopped===void 0?``:`stopped`}>
      <span class="face">${C(r?`camera`:`phone`,26)}</span>
      <div class="who">
        <h2 tabindex="-1">${t.visitorName||a(`aVisitor`)}</h2>
        <p>${a(r?`videoCall`:`audioCall`)}${t.visitorEmail?p` · ${t.visitorEmail}`:n}</p>
        ${t.transferredBy?p`<p>${a(`transferredBy`)} <bdi>${t.transferredBy}</bdi></p>`:n}
        ${t.note?p`<p class="note">${a(`note`)}: <bdi>${t.note}</bdi></p>`:n}
        <p class="quiet small"><span aria-hidden="true">${S(this.agentSession.clock.age(t.since))}</span>${t.isRecorded?p` · ${a(`willBeRecorded`)}`:n}</p>
      </div>
      ${t.stopped===void 0?n:p`<p class="bar">${e(t.stopped)}</p>`}
      <div class="bar" ?hidden=${t.stopped!==void 0}>${r?[o,s]:[s,o]}
        <button @click=${()=>this.agentSession.decline(t)}>${a(`decline`)}</button></div>
    </li>`}};f([l({attribute:!1})],Q.prototype,`agentSession`,void 0),Q=f([o(`visavis-rings`)],Q);var ie=`Manage Settings`,$=class extends r{constructor(...e){super(...e),this.join=``,this.stage=`idle`,this.session=null,this.isServerAway=!1,this.isChoosing=!1,this.waitingIds=new Set,this.disconnections=0,this.hasCopied=``,this.announcer=new M(`${a(`console`)} · Visavis`),this.watch=new w(this,()=>this.agentSession)}static{this.styles=[i,R]}async connectedCallback(){if(super.connectedCallback(),Object.assign(window,{visavisConsole:this}),this.join||(this.session=await ee(()=>this.showAway())),!this.isConnected)return;let e=this.join?`?join=${encodeURIComponent(this.join)}`:``;this.agentSession=new H(h(location.origin,`/signaling/agent${e}`),`visavis.desk${e}`,!!this.join),this.requestUpdate()}disconnectedCallback(){super.disconnectedCallback(),this.agentSession?.close()}get peerConnection(){return this.agentSession?.conversation?.link?.connection}willUpdate(e){if(!this.agentSession)return;this.disconnections!==this.agentSession.disconnections&&this.askSession(),this.disconnections=this.agentSession.disconnections,this.stage=this.agentSession.stage,this.agentSession.conversation||(this.isChoosing=!1);let{hasCall:t,ringing:n,queue:r}=this.agentSession;this.announcer.announce(t?[]:n),t&&r.some(({callId:e})=>!this.waitingIds.has(e))&&this.announcer.knock(),this.waitingIds=new Set(r.map(({callId:e})=>e))}updated(e){e.get(`stage`)===`idle`&&this.renderRoot.querySelector(`#call`)?.focus()}render(){if(!this.agentSession)return this.isServerAway?p`<p class="error" role="alert">${a(`serverAway`)}</p>`:n;let{agentSession:e}=this;return p`
      ${this.head(e)}
      <main class=${this.join?`alone`:``}>
        <div class="middle">
          <div role="status">${this.status(e)}</div>
          ${e.notice&&!this.saysSoBelow(e)?p`<div class="notice" role="alert"><p>${e.notice}</p><button class="round" aria-label=${a(`close`)} @click=${()=>e.dismissNotice()}>${C(`close`,16)}</button></div>`:n}
          ${e.unsent?this.unsent(e):n}
          ${e.hasCall||e.rings.length?p`<h1 class="unseen">${a(this.join?`joinTitle`:`console`)}</h1>`:n}
          ${e.hasCall?this.call(e):this.waiting(e)}
          ${this.join?n:p`<visavis-call-history .agentSession=${e}></visavis-call-history>`}
        </div>
        ${this.join?n:p`<aside aria-label=${a(`aroundTheCall`)}><visavis-side .agentSession=${e}></visavis-side></aside>`}
      </main>
    `}head(e){return this.join?p`<visavis-header alone></visavis-header>`:p`<visavis-header current="console" .session=${this.session}>
      <label class="presence"><input type="checkbox" role="switch" .checked=${e.isAvailable&&e.isOnline} ?disabled=${!e.isOnline||!e.mayAccept}
        @change=${t=>e.setAvailable(t.target.checked)} />${a(`available`)}</label>
    </visavis-header>`}status(e){switch(e.state){case`over`:return n;case`reconnecting`:return p`<p class="line error">${C(`warning`)} ${a(`lostSignaling`)}</p>`;case`mayNot`:return p`<p class="line error">${C(`warning`)} ${a(`mayNot`)}</p>`;case`inCall`:return this.join?n:p`<p class="line quiet">${C(`phone`)} ${a(`youAreInCall`)} ${ae(e.queue.length)}</p>`;case`disabled`:return p`<p class="line warn">${C(`warning`)} ${this.session?.permissions.includes(ie)?p`<span>${a(`disabledForAdministrators`)} <a href="/admin">${a(`switchOn`)}</a></span>`:a(`disabled`)}</p>`;case`away`:return this.join?n:p`<p class="line warn">${C(`pause`)} ${a(`youAreAway`)}</p>`;case`available`:return this.join?n:p`<p class="line quiet">${C(`good`)} ${a(`online`)}</p>`}}saysSoBelow({isOver:e,hasEndedCall:t,notice:n}){return e&&t&&n===a(`ended.hungUp`)}waiting(e){return e.rings.length?p`<visavis-rings .agentSession=${e}></visavis-rings>`:e.isOver?p`<section class="card empty" role="alert"><h1>${a(e.hasEndedCall?`joinEnded`:`joinOver`)}</h1>
        <p class="quiet">${a(e.hasEndedCall?`joinEndedHelp`:`joinOverHelp`)}</p></section>`:p`<section class="card empty">
      <span class="face">${C(`phone`,28)}</span>
      <h1>${a(this.join?`waitingForVisitor`:`noCalls`)}</h1>
      ${this.join||e.state===`available`?p`<p class="quiet">${a(this.join?`waitingForVisitorHelp`:`noCallsHelp`)}</p>`:n}
      ${M.mayAsk&&!this.join?p`<button @click=${this.askNotifications}>${C(`bell`)} ${a(`notifyMe`)}</button>`:n}
    </section>`}unsent(e){return p`<div class="notice" role="alert"><div><p>${a(`unsentAtDesk`)}</p><blockquote>${e.unsent}</blockquote></div>
      <span><button @click=${async()=>{await navigator.clipboard.writeText(e.unsent),this.hasCopied=e.unsent,this.requestUpdate()}}>${a(this.hasCopied===e.unsent?`copied`:`copy`)}</button>
      <button class="round" aria-label=${a(`close`)} @click=${()=>e.dismissUnsent()}>${C(`close`,16)}</button></span></div>`}call(e){let{conversation:t,stage:r}=e,i=t?.otherName||a(`aVisitor`),o=t&&r!==`connecting`;return p`<section class="card call" id="call" tabindex="-1" aria-label="${a(o?`connected`:`connecting`)}: ${i}">
      ${t?this.details(t.details):n}
      ${o?p`<visavis-call .conversation=${t} heading=${i} ?isReconnecting=${r===`reconnecting`} ?isOnline=${e.isOnline} @hang-up=${()=>e.hangUp()}>
            ${this.recording(e,t)} ${this.join?n:this.transfer(e)}
          </visavis-call>`:p`<div class="empty"><span class="face turning">${C(`phone`,28)}</span><p role="status">${a(r===`reconnecting`?`reconnecting`:`connecting`)}</p>
            <button class="danger" @click=${()=>e.hangUp()}>${C(`hangUp`)} ${a(`hangUp`)}</button></div>`}
    </section>`}details({visitorEmail:e,transferredBy:t,note:r}){return!e&&!t?n:p`<div class="details small">
      ${e?p`<p>${e}</p>`:n}
      ${t?p`<p>${a(`transferredBy`)} <bdi>${t}</bdi>${r?p`: <bdi>${r}</bdi>`:n}</p>`:n}
    </div>`}recording(e,{recording:t}){let n=t?.state??`off`,[r,i]={off:[`start`,`startRecording`],on:[`pause`,`pauseRecording`],paused:[`resume`,`resumeRecording`]}[n];return p`<button slot="controls" class="round" id="record" aria-label=${a(i)} title=${a(i)} @click=${()=>e.record(r)}>${C(n===`on`?`pause`:`record`)}</button>`}transfer(e){let t=e.team.filter(({agentId:t})=>t!==e.agentId);return p`
      <button slot="controls" class="round" id="transfer" aria-label=${a(`transfer`)} title=${a(`transfer`)} aria-expanded=${this.isChoosing} @click=${this.toggleTransfer}>${C(`transfer`)}</button>
      <div slot="panel" class="team" ?hidden=${!this.isChoosing} @keydown=${this.onTeamKey}>
        <h2 id="transfer-to">${a(`transferTo`)}</h2>
        <label class="field">${a(`transferNote`)}<input name="note" @input=${b(1e3)} autocomplete="off" /></label>
        ${e.transferringTo?p`<p role="status">${a(`transferRings`).replace(`%`,e.transferringTo)}</p>`:n}
        ${t.length?p`<ul aria-labelledby="transfer-to">${t.map(t=>this.colleague(e,t))}</ul>`:p`<p class="quiet">${a(`noColleagues`)}</p>`}
      </div>`}colleague(e,t){let n=t.state===`available`&&!e.transferringTo;return p`<li><span class="dot ${t.state}"></span><span class="who">${t.name} <span class="quiet small">${a(t.state)}</span></span>
      <button ?disabled=${!n} aria-label="${a(`ring`)} ${t.name}" @click=${()=>e.transfer(t,this.transferNote)}>${a(`ring`)}</button></li>`}get transferNote(){return this.renderRoot.querySelector(`input[name="note"]`)?.value??``}toggleTransfer(){this.isChoosing=!this.isChoosing,this.requestUpdate()}onTeamKey(e){e.key===`Escape`&&(this.toggleTransfer(),this.renderRoot.querySelector(`#transfer`)?.focus())}async askNotifications(){await M.ask(),this.requestUpdate()}showAway(){this.isServerAway=!0,this.requestUpdate()}async askSession(){if(!this.join)try{await te()}catch{}}};f([l()],$.prototype,`join`,void 0),f([l({reflect:!0,attribute:`data-state`})],$.prototype,`stage`,void 0),$=f([o(`visavis-console`)],$);var ae=e=>e?c(e,`callerWaits`,`callersWait`):``;export{$ as t};