import{c as e,d as t,g as n,i as r,l as i,n as a,o,p as s,s as c,t as l,u}from"./decorate.js";import{a as d,c as f,d as p,i as m,l as h,n as g,o as _,r as v,s as y,t as b,u as x}from"./protocol.js";import{i as S}from"./format.js";import{t as C}from"./icons.js";var w=100,T=class{constructor(e,t){this.audio=new AudioContext,this.analyser=this.audio.createAnalyser(),this.samples=new Float32Array(1024),this.analyser.fftSize=1024,this.audio.createMediaStreamSource(new MediaStream([e])).connect(this.analyser),this.timer=window.setInterval(()=>t(this.measure()),w)}close(){clearInterval(this.timer),this.audio.close()}measure(){this.analyser.getFloatTimeDomainData(this.samples);let e=this.samples.reduce((e,t)=>e+t*t,0)/this.samples.length,t=10*Math.log10(e||1e-12);return Math.min(1,Math.max(0,1+t/60))}},E=.25,D=6e3,O={listening:[`sayHello`,`quiet`],heard:[`microphoneWorks`,`good`],silent:[`microphoneSilent`,`warn`]},k={good:`good`,warn:`warning`,quiet:`sound`},A=class extends u{constructor(...e){super(...e),this.loudness=0,this.hearing=`listening`,this.silence=0,this.watch=new p(this,()=>this.visitor),this.watchOwn=new p(this,()=>this.visitor.own)}static{this.styles=[a,n`
      :host { display: grid; gap: 0.9rem; }
      .picture { position: relative; aspect-ratio: 16 / 9; border-radius: 12px; overflow: hidden; background: #0c1013; color: #e8ecef; display: grid; place-items: center; }
      .picture.voice { aspect-ratio: 5 / 1; }
      video { width: 100%; height: 100%; object-fit: cover; transform: scaleX(-1); display: block; }
      .picture p { margin: 0; padding: 1rem; text-align: center; }
      .level { position: absolute; inset: auto 0.75rem 0.75rem; display: flex; gap: 0.5rem; align-items: center; padding: 0.35rem 0.6rem; border-radius: 999px; background: #0009; }
      .voice .level { position: static; width: calc(100% - 1.5rem); background: none; }
      .level span { flex: 1; height: 6px; border-radius: 3px; background: #fff3; overflow: hidden; }
      .level i { display: block; height: 100%; background: #5fd0bd; transform-origin: left; border-radius: 3px; transition: transform 0.1s linear; }
      ul { list-style: none; margin: 0; padding: 0; display: grid; gap: 0.4rem; font-size: 0.9rem; }
      form { display: grid; gap: 0.9rem; }
      .pair { display: grid; gap: 0.75rem; grid-template-columns: 1fr 1fr; }
      .bar { display: flex; gap: 0.5rem; flex-wrap: wrap; }
      .bar .primary { flex: 1; }
      summary { cursor: pointer; color: var(--accent); font-size: 0.9rem; border-radius: 6px; width: fit-content; }
      details[open] summary { margin-bottom: 0.75rem; }
      h2, form p { margin: 0; }
      @media (max-width: 22rem) { .pair { grid-template-columns: 1fr; } }
    `]}disconnectedCallback(){super.disconnectedCallback(),this.stopListening()}updated(){let e=this.visitor.own?.microphone;e!==this.listened&&(this.stopListening(),this.listened=e,e&&(this.hearing=`listening`,this.level=new T(e,e=>this.hear(e)),this.silence=window.setTimeout(()=>this.hearing=this.hearing===`listening`?`silent`:this.hearing,D)))}render(){let{own:e,media:n}=this.visitor;return s`
      <h2 id="title" tabindex="-1">${o(n===`video`?`videoCall`:`audioCall`)}</h2>
      ${e?this.picture():this.asking()}
      ${e?s`<ul aria-live="polite">${this.findings()}</ul><details><summary>${o(`chooseDevices`)}</summary><visavis-devices .own=${e}></visavis-devices></details>`:t}
      ${this.form()}
    `}asking(){let{notice:e,media:n}=this.visitor;return e?s`<p class="line error" role="alert">${C(`warning`)} ${e}</p>
      <div class="bar">
        <button @click=${()=>this.visitor.openMedia(n)}>${o(`tryAgain`)}</button>
        ${n===`video`?s`<button @click=${()=>this.visitor.openMedia(`audio`)}>${o(`microphoneOnly`)}</button>`:t}
      </div>`:s`<div class="picture"><p role="status">${o(n===`video`?`askingMedia`:`askingMicrophone`)}</p></div>`}picture(){let e=this.visitor.own,n=Math.round(this.loudness*100);return s`<div class="picture ${e.camera?``:`voice`}">
      ${e.camera?s`<video autoplay playsinline muted aria-label=${o(`yourPicture`)} .srcObject=${e.stream}></video>`:t}
      <div class="level" role="meter" aria-label=${o(`microphoneLevel`)} aria-valuenow=${n} aria-valuemin="0" aria-valuemax="100">
        ${C(`microphone`,16)}<span><i style="transform: scaleX(${this.loudness})"></i></span>
      </div>
    </div>`}findings(){let e=this.visitor.own,[n,r]=O[this.hearing];return[j(o(n),r),e.trouble?j(e.trouble,`warn`):e.camera?j(o(`cameraWorks`),`good`):t,this.path()]}path(){let{path:e}=this.visitor;if(e===`looking`||e===void 0)return j(o(`pathLooking`),`quiet`);if(e===`unknown`)return j(o(`pathUnknown`),`quiet`);if(e===`blocked`)return j(o(`pathBlocked`),`warn`);let t=e.roundTrip===void 0?``:` (${e.roundTrip} ms)`;return j(o(e.protocol===`udp`?`pathFree`:`pathByTcp`)+t,`good`)}form(){let{visitor:e}=this,{isRecorded:n}=e.availability;return s`<form @submit=${this.submit}>
      <div class="pair">
        <label class="field">${o(`yourName`)}<input name="name" maxlength="200" autocomplete="name" .value=${e.name} /></label>
        <label class="field">${o(`yourEmail`)}<input name="email" type="email" maxlength="200" autocomplete="email" .value=${e.email} /></label>
      </div>
      ${e.needsAgreement?s`<label class="tick"><input type="checkbox" name="agreed" required /><span>${o(`agreement`)}</span></label>`:n?s`<p class="line small">${C(`record`,18)} ${o(`recordedNotice`)}</p>`:t}
      <div class="bar">
        <button class="primary" ?disabled=${!e.own||!e.isOnline}>${C(`phone`)} ${o(`callNow`)}</button>
        <button type="button" @click=${()=>e.hangUp()}>${o(`back`)}</button>
      </div>
      ${e.isOnline?t:s`<p class="error small" role="alert">${o(`lostSignaling`)}</p>`}
    </form>`}submit(e){e.preventDefault();let t=new FormData(e.target);this.visitor.identify(S(t,`name`),S(t,`email`)),this.visitor.call(t.has(`agreed`))}hear(e){this.loudness=e,e>E&&(this.hearing=`heard`)}stopListening(){clearTimeout(this.silence),this.level?.close(),this.level=this.listened=void 0}};l([e({attribute:!1})],A.prototype,`visitor`,void 0),l([c()],A.prototype,`loudness`,void 0),l([c()],A.prototype,`hearing`,void 0),A=l([i(`visavis-check`)],A);var j=(e,t)=>s`<li class="line ${t}">${C(k[t],18)} <span>${e}</span></li>`,M=class extends u{static{this.styles=[a,n`
      form { display: grid; gap: 0.75rem; }
      .pair { display: grid; gap: 0.75rem; grid-template-columns: 1fr 1fr; }
      textarea { min-height: 6rem; resize: vertical; }
      .bar { display: flex; gap: 0.5rem; flex-wrap: wrap; }
      .bar .primary { flex: 1; }
      @media (max-width: 22rem) { .pair { grid-template-columns: 1fr; } }
    `]}render(){let{name:e,email:t}=this.visitor;return s`<form @submit=${this.submit}>
      <div class="pair">
        <label class="field">${o(`yourName`)}<input name="name" maxlength="200" autocomplete="name" .value=${e} /></label>
        <label class="field">${o(`yourEmail`)}<input name="email" type="email" maxlength="200" autocomplete="email" .value=${t} /></label>
      </div>
      <label class="field">${o(`yourMessage`)}<textarea name="text" maxlength="4000" required></textarea></label>
      <div class="bar">
        <button class="primary">${o(`sendMessage`)}</button>
        <button type="button" @click=${()=>this.visitor.dismiss()}>${o(`close`)}</button>
      </div>
    </form>`}submit(e){e.preventDefault();let t=new FormData(e.target),n=S(t,`text`);n&&(this.visitor.identify(S(t,`name`),S(t,`email`)),this.visitor.leaveMessage(n))}};l([e({attribute:!1})],M.prototype,`visitor`,void 0),M=l([i(`visavis-message`)],M);var N=8e3,P=async(e,t,n)=>{let r=new RTCPeerConnection({bundlePolicy:`max-bundle`,rtcpMuxPolicy:`require`,iceServers:t}),i=new Promise(e=>n.addEventListener(`abort`,()=>e(void 0)));try{r.addTransceiver(`audio`,{direction:`inactive`}),await r.setLocalDescription();let t=await Promise.race([e(r.localDescription.sdp),F(N,``),i]);if(!t)return`unknown`;await r.setRemoteDescription({type:`answer`,sdp:t});let n=await Promise.race([I(r),F(N,!1),i]);return n===void 0?`unknown`:n?await L(r):`blocked`}finally{r.close()}},F=(e,t)=>new Promise(n=>setTimeout(()=>n(t),e)),I=e=>new Promise(t=>{e.onconnectionstatechange=()=>{e.connectionState===`connected`&&t(!0),e.connectionState===`failed`&&t(!1)}}),L=async e=>{let t=[...(await e.getStats()).values()],n=t.find(e=>e.type===`transport`),r=t.find(e=>e.id===n?.selectedCandidatePairId||e.type===`candidate-pair`&&e.selected),i=t.find(e=>e.id===r?.localCandidateId),a=r?.currentRoundTripTime;return{protocol:i?.relayProtocol??i?.protocol??`udp`,roundTrip:a===void 0?void 0:Math.round(a*1e3)}},R=30,z=[`connecting`,`connected`,`reconnecting`],B={queued:`queued`,ringing:`calling`,accepted:`connecting`,connecting:`connecting`,connected:`connected`,reconnecting:`reconnecting`},V=class extends x{constructor(e,t,n){super(),this.memoryKey=t,this.tell=n,this.stage=`idle`,this.availability={type:`availability`,isEnabled:!1,isRecorded:!1,needsAgreement:!1},this.media=`video`,this.notice=``,this.reason=``,this.place=0,this.isOnline=!1,this.isRecorded=!1,this.hasLeftMessage=!1,this.name=``,this.email=``,this.lastCallId=``,this.resumeSeconds=R,this.iceServers=[],this.patience=0,this.hasHeard=!1,this.acquisition=new AbortController,this.check=new AbortController,this.onPageHide=()=>this.remember(),this.signaling=new f(e,e=>this.hear(e),e=>this.onOpen(e),()=>!!this.conversation),addEventListener(`pagehide`,this.onPageHide),this.outgoing=d(t);let r=_(()=>sessionStorage,t);r&&this.takeUp(r)}get isInCall(){return z.includes(this.stage)}get needsAgreement(){return this.availability.isRecorded&&this.availability.needsAgreement}close(){removeEventListener(`pagehide`,this.onPageHide),this.leave(),this.signaling.close()}async prepare(e,t){if(this.stage===`idle`||this.stage===`ended`){if(!this.hasHeard)this.wanted=e;else{if(!this.availability.isEnabled)return this.finish(o(`switchedOff`),`disabled`);Object.assign(this,{media:e,invitation:t,notice:``,stage:`checking`,hasLeftMessage:!1}),this.path=void 0,this.findPath(),await this.openMedia(e)}}}async openMedia(e){this.media=e,this.notice=``,this.releaseDevices();let{signal:t}=this.acquisition;this.changed();try{this.own=await g.open(e,t)}catch(e){if(t.aborted)return;this.notice=e.message}this.changed()}async call(e){let{own:t,media:n,name:r,email:i,invitation:a}=this;if(!t||!this.isOnline||this.stage!==`checking`)return;let o=this.begin(t);this.check.abort(),this.stage=`calling`,this.isRecorded=this.availability.isRecorded,this.changed();let{sdp:s}=await o.offer(1,n===`video`);if(this.conversation!==o)return;let{invitation:c=``}=a??{};this.signaling.send({type:`call`,media:n,offer:s,name:r,email:i,agreed:e,invitation:c}),this.invitation=void 0}hangUp(){this.resuming&&this.forsake(this.resuming);let e=this.conversation?.callId;if(!e)return this.finish(``,``);this.signaling.isOpen?this.signaling.send({type:`hangUp`,callId:e}):this.forsaken={callId:e,secret:this.conversation.secret};let t=this.isInCall;this.finish(o(t?`ended.hungUp`:`ended.cancelled`),t?`hungUp`:`cancelled`)}leaveMessage(e){let{lastCallId:t,name:n,email:r}=this;this.outgoing={callId:t,text:e,name:n,email:r,at:Date.now()},m(this.memoryKey,this.outgoing),this.hasLeftMessage=!0,this.notice=o(`messageSending`),this.sendMessage(),this.changed()}sendMessage(){if(!this.outgoing)return;let{callId:e,text:t,name:n,email:r}=this.outgoing;this.signaling.send({type:`leaveMessage`,callId:e,text:t,name:n,email:r})}messageSettled(e,t){this.outgoing=void 0,m(this.memoryKey,void 0),this.hasLeftMessage=t,!this.conversation&&this.stage!==`checking`&&Object.assign(this,{notice:e,stage:`ended`})}dismiss(){this.leave(),Object.assign(this,{stage:`idle`,notice:``,reason:``,invitation:void 0}),this.changed()}identify(e,t){Object.assign(this,{name:e,email:t}),this.sayHere(),this.changed()}begin(e){let t=new y(`visitor`,e,{send:e=>this.signaling.send(e),isOpen:()=>this.signaling.isOpen,iceServers:()=>this.iceServers});return t.addEventListener(`change`,()=>this.changed()),this.conversation=t,t}hear(e){switch(e.type){case`availability`:this.available(e);break;case`iceServers`:this.iceServers=e.servers;break;case`invited`:(this.stage===`idle`||this.stage===`ended`)&&this.invited(e);break;case`calling`:this.placed(e);break;case`queued`:this.queued(e.callId,e.place);break;case`connect`:this.connect(e.callId,e.link);break;case`messageKept`:e.callId===this.outgoing?.callId&&this.messageSettled(o(`messageLeft`),!0);break;case`probed`:this.answerPath?.(e.sdp);break;case`ended`:e.callId===this.conversation?.callId&&this.finish(r(e.reason),e.reason,e.by);break;case`refused`:this.refused(e);break;default:e.callId===this.conversation?.callId&&this.hearOfCall(e)}this.changed()}available(e){this.availability=e,this.hasHeard=!0,this.tell(`available`,{isEnabled:e.isEnabled}),this.wanted&&this.prepare(this.wanted),this.wanted=void 0}hearOfCall(e){this.conversation?.hear(e),e.type===`recording`&&(this.isRecorded=e.state!==`off`),e.type===`callState`&&this.reach(B[e.state]??this.stage)}placed({callId:e,isRecorded:t,secret:n,resumeSeconds:r}){if(!this.conversation)return this.signaling.send({type:`hangUp`,callId:e});Object.assign(this.conversation,{callId:e,secret:n}),Object.assign(this,{isRecorded:t,resumeSeconds:r}),this.tell(`ringing`,{callId:e})}queued(e,t){e===this.conversation?.callId&&(this.place=t,this.stage=`queued`,this.tell(`queued`,{callId:e,place:t}))}invited(e){Object.assign(this,{invitation:e,stage:`idle`,notice:``}),this.tell(`invited`,{agentName:e.agentName,media:e.media})}async connect(e,t){let n=this.conversation;if(e!==n?.callId)return;let{sdp:r,screenMid:i}=await n.offer(t,this.media===`video`||!!n.own.camera);this.signaling.send({type:`offer`,callId:e,link:t,sdp:r,screenMid:i})}refused({error:e,message:t,callId:n,id:r}){let i=this.conversation;if(this.outgoing&&n===this.outgoing.callId)return this.messageSettled(t,!1);if(i){if(r&&i.refuse(r)&&!b.includes(e))i.own.trouble=t;else{if(!i.callId)return this.finish(t,`failed`);if(n===i.callId&&b.includes(e))return this.finish(o(this.stage===`connected`?`ended.hungUp`:`ended.failed`),`failed`);i.own.trouble=t}}}reach(e){if(e===this.stage)return;this.stage=e;let{callId:t,otherName:n}=this.conversation;(e===`connecting`||e===`connected`||e===`reconnecting`)&&this.tell(e,{callId:t,agentName:n})}onOpen(e){this.isOnline=e,clearTimeout(this.patience),e?this.greet():this.conversation&&(this.patience=window.setTimeout(()=>this.giveUp(),this.resumeSeconds*1e3)),this.changed()}forsake(e){this.forsaken=e,this.signaling.isOpen&&this.greetForsaken()}greetForsaken(){let{forsaken:e}=this;e&&(this.signaling.send({type:`resume`,...e,hasMedia:!0}),this.signaling.send({type:`hangUp`,callId:e.callId}),this.forsaken=void 0)}greet(){this.sayHere(),this.greetForsaken(),this.sendMessage();let{conversation:e}=this;if(!e)return;if(!e.callId)return this.finish(o(`ended.failed`),`failed`);let{callId:t,secret:n,hasMedia:r}=e;this.signaling.send({type:`resume`,callId:t,secret:n,hasMedia:r||!this.isInCall}),e.sendPending()}giveUp(){this.finish(o(`ended.failed`),`failed`)}sayHere(){let e=(document.title||location.pathname).slice(0,200);this.signaling.send({type:`here`,page:e,name:this.name,email:this.email})}async takeUp(e){let{callId:t,secret:n,media:r,since:i,otherName:a,lines:o,pending:s}=e;Object.assign(this,{stage:`reconnecting`,media:r,resumeSeconds:e.resumeSeconds}),this.resuming={callId:t,secret:n},this.releaseDevices();let{signal:c}=this.acquisition;this.changed();try{let r=await g.open(e.hasCamera?`video`:`audio`,c);this.resuming=void 0,this.own=r,r.setMuted(e.isMuted);let l=this.begin(r);Object.assign(l,{callId:t,secret:n,since:i,otherName:a,lines:o,pending:s}),this.signaling.isOpen&&(this.signaling.send({type:`resume`,callId:t,secret:n,hasMedia:!1}),l.sendPending())}catch(e){if(c.aborted)return;this.forsake({callId:t,secret:n}),this.finish(e.message,`failed`)}this.changed()}remember(){let{conversation:e,media:t,resumeSeconds:n,memoryKey:r}=this;if(!e?.callId)return;let{callId:i,secret:a,since:o,otherName:s,lines:c,pending:l,details:u,own:d}=e,f={isMuted:d.isMuted,hasCamera:!!d.camera,leftAt:Date.now()};v(()=>sessionStorage,r,{callId:i,secret:a,media:t,since:o,otherName:s,lines:c,pending:l,details:u,resumeSeconds:n,...f})}async findPath(){let e=e=>(this.signaling.send({type:`probe`,offer:e}),new Promise(e=>this.answerPath=e));this.path=`looking`,this.check=new AbortController;let{signal:t}=this.check,n=await P(e,this.iceServers,t);t.aborted||(this.path=n,this.answerPath=void 0,this.changed())}releaseDevices(){this.acquisition.abort(),this.acquisition=new AbortController,this.own?.close(),this.own=void 0}leave(){clearTimeout(this.patience),this.check.abort(),this.conversation?.close(),this.conversation=this.resuming=void 0,this.releaseDevices()}finish(e,t,n=`visitor`){let r=this.conversation?.callId??``,i=!!this.conversation;this.leave(),this.lastCallId=r||this.lastCallId,Object.assign(this,{notice:e,reason:t,stage:e?`ended`:`idle`,place:0,invitation:void 0}),this.changed(),i&&this.tell(`ended`,{callId:r,reason:t,by:n})}},H=n`
  :host { position: fixed; right: 1rem; bottom: 1rem; z-index: 2147483000; max-width: calc(100vw - 2rem); display: flex; justify-content: flex-end; }
  :host([join]) { position: static; display: block; max-width: none; }
  .card { box-shadow: 0 12px 40px #0003, 0 2px 8px #0002; width: min(22rem, 100%); max-height: calc(100dvh - 2rem); overflow-y: auto; overscroll-behavior: contain; }
  .card.connected, .card.reconnecting { width: min(32rem, calc(100vw - 2rem)); padding: 0.75rem; }
  .card.idle { width: auto; padding: 1rem 1.1rem; }
  :host([join]) .card { width: auto; max-height: none; box-shadow: none; }
  .title { font-weight: 650; margin: 0; }
  .idle .title { margin-bottom: 0.65rem; }
  .buttons { display: flex; flex-wrap: wrap; gap: 0.5rem; }
  .buttons + p { margin: 0.65rem 0 0; }
  .who { display: flex; gap: 0.9rem; align-items: center; margin-bottom: 1rem; }
  .who p { margin: 0; }
  .who .place { color: var(--quiet); }
  .face { flex: none; width: 3.25rem; height: 3.25rem; border-radius: 50%; display: grid; place-items: center; background: var(--accent); color: var(--on-accent); }
  .face.ringing { animation: ring 1.8s ease-out infinite; }
  @keyframes ring { from { box-shadow: 0 0 0 0 color-mix(in srgb, var(--accent) 60%, transparent); } to { box-shadow: 0 0 0 0.9rem transparent; } }
  .who + button { width: 100%; }
  .head { display: flex; gap: 0.75rem; align-items: flex-start; justify-content: space-between; margin-bottom: 0.9rem; }
  .head .title { padding-top: 0.5rem; }
  .head button { border-color: transparent; margin: -0.25rem -0.5rem 0 0; }
  .ended .launcher { margin-top: 0.5rem; }
  @media (max-width: 30rem) {
    :host(:not([join])) { right: 0; bottom: 0; left: 0; max-width: none; display: block; }
    :host(:not([join])) .card { width: auto; border-radius: 18px 18px 0 0; border-width: 1px 0 0; max-height: 100dvh; padding-bottom: max(1rem, env(safe-area-inset-bottom)); }
    .buttons button { flex: 1 1 9rem; }
    :host(:not([join])) .card.connected, :host(:not([join])) .card.reconnecting { width: auto; padding: 0.5rem; }
  }
  @media (prefers-reduced-motion: reduce) { .face.ringing { box-shadow: 0 0 0 0.3rem color-mix(in srgb, var(--accent) 35%, transparent); } }
`,U={calling:`calling`,queued:`queuedHelp`,connecting:`connecting`},W=class extends u{constructor(...e){super(...e),this.origin=location.origin,this.site=`1`,this.join=``,this.stage=`idle`,this.hadFocus=!1,this.watch=new p(this,()=>this.visitor)}static{this.styles=[a,H]}connectedCallback(){super.connectedCallback();let e=this.join?`join=${encodeURIComponent(this.join)}`:`site=${encodeURIComponent(this.site)}`,t=(e,t)=>this.dispatchEvent(new CustomEvent(e,{detail:t}));this.visitor=new V(h(this.origin,`/signaling/visitor?${e}`),`visavis.call.${e}`,t)}disconnectedCallback(){super.disconnectedCallback(),this.visitor?.close()}call(e){return this.visitor.prepare(e)}get peerConnection(){return this.visitor?.conversation?.link?.connection}willUpdate(){this.hadFocus=this.shadowRoot?.activeElement!==null,this.stage=this.visitor.stage}updated(e){let t=e.get(`stage`);e.has(`stage`)&&t!==void 0&&(this.hadFocus||this.stage===`checking`)&&this.focusFirst()}render(){let{stage:e,availability:n,invitation:r}=this.visitor;return e===`idle`&&!n.isEnabled?t:s`<section class="card ${e}" role=${e!==`idle`&&e!==`ended`?`dialog`:`region`} aria-label=${o(`talkToUs`)} @keydown=${this.onKey}>
      ${r&&e===`idle`?this.invited():this.body(e)}
    </section>`}body(e){switch(e){case`idle`:return this.launcher();case`checking`:return s`<visavis-check .visitor=${this.visitor}></visavis-check>`;case`ended`:return this.ended();case`connected`:case`reconnecting`:return this.visitor.conversation?this.inCall():this.waiting(o(`reconnecting`));default:return this.waiting(o(U[e]))}}launcher(){let{isRecorded:e}=this.visitor.availability;return s`
      <p class="title">${o(`talkToUs`)}</p>
      <div class="buttons">
        <button class="primary" id="video" @click=${()=>this.call(`video`)}>${C(`camera`)} ${o(`videoCall`)}</button>
        <button id="audio" @click=${()=>this.call(`audio`)}>${C(`phone`)} ${o(`audioCall`)}</button>
      </div>
      ${e?s`<p class="quiet small">${o(`recordedNotice`)}</p>`:t}
    `}invited(){let e=this.visitor.invitation,{agentName:t,media:n}=e;return s`
      <div class="who"><span class="face">${C(`person`,26)}</span>
        <p role="alert"><strong>${t||o(`agent`)}</strong> ${o(n===`video`?`invitesVideo`:`invitesAudio`)}</p></div>
      <div class="buttons">
        <button class="primary" id="first" @click=${()=>this.visitor.prepare(n,e)}>${C(`phone`)} ${o(`acceptInvitation`)}</button>
        <button @click=${()=>this.visitor.dismiss()}>${o(`noThanks`)}</button>
      </div>
    `}waiting(e){let{stage:n,place:r,isOnline:i}=this.visitor;return s`
      <div class="who"><span class="face ringing">${C(`phone`,26)}</span>
        <div>
          <p class="title" role="status">${e}</p>
          ${n===`queued`?s`<p class="place" role="status">${o(`yourPlace`)} <strong>${r}</strong></p>`:t}
          ${i?t:s`<p class="small error">${o(`lostSignaling`)}</p>`}
        </div></div>
      <button class="danger" id="first" @click=${()=>this.visitor.hangUp()}>${C(`hangUp`)} ${o(`cancel`)}</button>
    `}inCall(){let{conversation:e,stage:t,isOnline:n}=this.visitor;return s`
      <p class="unseen" role="status">${o(t===`connected`?`connected`:`reconnecting`)}</p>
      <visavis-call id="first" tabindex="-1" .conversation=${e} heading=${e.otherName||o(`agent`)}
        ?isReconnecting=${t===`reconnecting`} ?isOnline=${n} @hang-up=${()=>this.visitor.hangUp()}></visavis-call>
    `}ended(){let{notice:e,reason:n,hasLeftMessage:r,availability:i}=this.visitor,a=(n===`missed`||n===`declined`)&&!r;return s`
      <div class="head"><p class="title" id="first" tabindex="-1" role="status">${e}</p>
        <button class="round" aria-label=${o(`close`)} title=${o(`close`)} @click=${()=>this.visitor.dismiss()}>${C(`close`,18)}</button></div>
      ${a?s`<p class="quiet">${o(`leaveMessage`)}</p><visavis-message .visitor=${this.visitor}></visavis-message>`:t}
      ${i.isEnabled&&!a?this.launcher():t}
    `}focusFirst(){let e=this.renderRoot.querySelector(`visavis-check`);e?e.updateComplete.then(()=>e.renderRoot.querySelector(`#title`)?.focus()):this.renderRoot.querySelector(`#first, #video`)?.focus()}onKey(e){e.key===`Escape`&&this.stage===`checking`&&this.visitor.hangUp()}};l([e()],W.prototype,`origin`,void 0),l([e()],W.prototype,`site`,void 0),l([e()],W.prototype,`join`,void 0),l([e({reflect:!0,attribute:`data-state`})],W.prototype,`stage`,void 0),W=l([i(`visavis-widget`)],W);export{W as t};