import{a as e,c as t,f as n,h as r,i,l as a,n as o,o as s,s as c,t as l,u}from"./decorate.js";import{a as d,c as f,d as p,i as m,l as h,n as g,o as _,r as v,s as y,t as b,u as x}from"./protocol.js";import{i as S}from"./format.js";import{t as C}from"./icons.js";var w=100,T=class{constructor(e,t){this.audio=new AudioContext,this.analyser=this.audio.createAnalyser(),this.samples=new Float32Array(1024),this.analyser.fftSize=1024,this.audio.createMediaStreamSource(new MediaStream([e])).connect(this.analyser),this.timer=window.setInterval(()=>t(this.measure()),w)}close(){clearInterval(this.timer),this.audio.close()}measure(){this.analyser.getFloatTimeDomainData(this.samples);let e=this.samples.reduce((e,t)=>e+t*t,0)/this.samples.length,t=10*Math.log10(e||1e-12);return Math.min(1,Math.max(0,1+t/60))}},E=.25,D=6e3,O={listening:[`sayHello`,`quiet`],heard:[`microphoneWorks`,`good`],silent:[`microphoneSilent`,`warn`]},k={good:`good`,warn:`warning`,quiet:`sound`},A=class extends a{constructor(...e){super(...e),this.loudness=0,this.hearing=`listening`,this.silence=0,this.watch=new p(this,()=>this.visitor),this.watchOwn=new p(this,()=>this.visitor.own)}static{this.styles=[o,r`
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
    `]}disconnectedCallback(){super.disconnectedCallback(),this.stopListening()}updated(){let e=this.visitor.own?.microphone;e!==this.listened&&(this.stopListening(),this.listened=e,e&&(this.hearing=`listening`,this.level=new T(e,e=>this.hear(e)),this.silence=window.setTimeout(()=>this.hearing=this.hearing===`listening`?`silent`:this.hearing,D)))}render(){let{own:t,media:r}=this.visitor;return n`
      <h2 id="title" tabindex="-1">${e(r===`video`?`videoCall`:`audioCall`)}</h2>
      ${t?this.picture():this.asking()}
      ${t?n`<ul aria-live="polite">${this.findings()}</ul><details><summary>${e(`chooseDevices`)}</summary><visavis-devices .own=${t}></visavis-devices></details>`:u}
      ${this.form()}
    `}asking(){let{notice:t,media:r}=this.visitor;return t?n`<p class="line error" role="alert">${C(`warning`)} ${t}</p>
      <div class="bar">
        <button @click=${()=>this.visitor.openMedia(r)}>${e(`tryAgain`)}</button>
        ${r===`video`?n`<button @click=${()=>this.visitor.openMedia(`audio`)}>${e(`microphoneOnly`)}</button>`:u}
      </div>`:n`<div class="picture"><p role="status">${e(r===`video`?`askingMedia`:`askingMicrophone`)}</p></div>`}picture(){let t=this.visitor.own,r=Math.round(this.loudness*100);return n`<div class="picture ${t.camera?``:`voice`}">
      ${t.camera?n`<video autoplay playsinline muted aria-label=${e(`yourPicture`)} .srcObject=${t.stream}></video>`:u}
      <div class="level" role="meter" aria-label=${e(`microphoneLevel`)} aria-valuenow=${r} aria-valuemin="0" aria-valuemax="100">
        ${C(`microphone`,16)}<span><i style="transform: scaleX(${this.loudness})"></i></span>
      </div>
    </div>`}findings(){let t=this.visitor.own,[n,r]=O[this.hearing];return[j(e(n),r),t.trouble?j(t.trouble,`warn`):t.camera?j(e(`cameraWorks`),`good`):u,this.path()]}path(){let{path:t}=this.visitor;if(t===`looking`||t===void 0)return j(e(`pathLooking`),`quiet`);if(t===`unknown`)return j(e(`pathUnknown`),`quiet`);if(t===`blocked`)return j(e(`pathBlocked`),`warn`);let n=t.roundTrip===void 0?``:` (${t.roundTrip} ms)`;return j(e(t.protocol===`udp`?`pathFree`:`pathByTcp`)+n,`good`)}form(){let{visitor:t}=this,{isRecorded:r}=t.availability;return n`<form @submit=${this.submit}>
      <div class="pair">
        <label class="field">${e(`yourName`)}<input name="name" maxlength="200" autocomplete="name" .value=${t.name} /></label>
        <label class="field">${e(`yourEmail`)}<input name="email" type="email" maxlength="200" autocomplete="email" .value=${t.email} /></label>
      </div>
      ${t.needsAgreement?n`<label class="tick"><input type="checkbox" name="agreed" required /><span>${e(`agreement`)}</span></label>`:r?n`<p class="line small">${C(`record`,18)} ${e(`recordedNotice`)}</p>`:u}
      <div class="bar">
        <button class="primary" ?disabled=${!t.own||!t.isOnline}>${C(`phone`)} ${e(`callNow`)}</button>
        <button type="button" @click=${()=>t.hangUp()}>${e(`back`)}</button>
      </div>
      ${t.isOnline?u:n`<p class="error small" role="alert">${e(`lostSignaling`)}</p>`}
    </form>`}submit(e){e.preventDefault();let t=new FormData(e.target);this.visitor.identify(S(t,`name`),S(t,`email`)),this.visitor.call(t.has(`agreed`))}hear(e){this.loudness=e,e>E&&(this.hearing=`heard`)}stopListening(){clearTimeout(this.silence),this.level?.close(),this.level=this.listened=void 0}};l([c({attribute:!1})],A.prototype,`visitor`,void 0),l([s()],A.prototype,`loudness`,void 0),l([s()],A.prototype,`hearing`,void 0),A=l([t(`visavis-check`)],A);var j=(e,t)=>n`<li class="line ${t}">${C(k[t],18)} <span>${e}</span></li>`,M=class extends a{static{this.styles=[o,r`
      form { display: grid; gap: 0.75rem; }
      .pair { display: grid; gap: 0.75rem; grid-template-columns: 1fr 1fr; }
      textarea { min-height: 6rem; resize: vertical; }
      .bar { display: flex; gap: 0.5rem; flex-wrap: wrap; }
      .bar .primary { flex: 1; }
      @media (max-width: 22rem) { .pair { grid-template-columns: 1fr; } }
    `]}render(){let{name:t,email:r}=this.visitor;return n`<form @submit=${this.submit}>
      <div class="pair">
        <label class="field">${e(`yourName`)}<input name="name" maxlength="200" autocomplete="name" .value=${t} /></label>
        <label class="field">${e(`yourEmail`)}<input name="email" type="email" maxlength="200" autocomplete="email" .value=${r} /></label>
      </div>
      <label class="field">${e(`yourMessage`)}<textarea name="text" maxlength="4000" required></textarea></label>
      <div class="bar">
        <button class="primary">${e(`sendMessage`)}</button>
        <button type="button" @click=${()=>this.visitor.dismiss()}>${e(`close`)}</button>
      </div>
    </form>`}submit(e){e.preventDefault();let t=new FormData(e.target),n=S(t,`text`);n&&(this.visitor.identify(S(t,`name`),S(t,`email`)),this.visitor.leaveMessage(n))}};l([c({attribute:!1})],M.prototype,`visitor`,void 0),M=l([t(`visavis-message`)],M);var N=8e3,P=async(e,t,n)=>{let r=new RTCPeerConnection({bundlePolicy:`max-bundle`,rtcpMuxPolicy:`require`,iceServers:t}),i=new Promise(e=>n.addEventListener(`abort`,()=>e(void 0)));try{r.addTransceiver(`audio`,{direction:`inactive`}),await r.setLocalDescription();let t=await Promise.race([e(r.localDescription.sdp),F(N,``),i]);if(!t)return`unknown`;await r.setRemoteDescription({type:`answer`,sdp:t});let n=await Promise.race([I(r),F(N,!1),i]);return n===void 0?`unknown`:n?await L(r):`blocked`}finally{r.close()}},F=(e,t)=>new Promise(n=>setTimeout(()=>n(t),e)),I=e=>new Promise(t=>{e.onconnectionstatechange=()=>{e.connectionState===`connected`&&t(!0),e.connectionState===`failed`&&t(!1)}}),L=async e=>{let t=[...(await e.getStats()).values()],n=t.find(e=>e.type===`transport`),r=t.find(e=>e.id===n?.selectedCandidatePairId||e.type===`candidate-pair`&&e.selected),i=t.find(e=>e.id===r?.localCandidateId),a=r?.currentRoundTripTime;return{protocol:i?.relayProtocol??i?.protocol??`udp`,roundTrip:a===void 0?void 0:Math.round(a*1e3)}},R=30,z=[`connecting`,`connected`,`reconnecting`],B={queued:`queued`,ringing:`calling`,accepted:`connecting`,connecting:`connecting`,connected:`connected`,reconnecting:`reconnecting`},V=class extends x{constructor(e,t,n){super(),this.memoryKey=t,this.tell=n,this.stage=`idle`,this.availability={type:`availability`,isEnabled:!1,isRecorded:!1,needsAgreement:!1},this.media=`video`,this.notice=``,this.reason=``,this.place=0,this.isOnline=!1,this.isRecorded=!1,this.hasLeftMessage=!1,this.name=``,this.email=``,this.lastCallId=``,this.resumeSeconds=R,this.iceServers=[],this.patience=0,this.hasHeard=!1,this.acquisition=new AbortController,this.check=new AbortController,this.onPageHide=()=>this.remember(),this.signaling=new f(e,e=>this.hear(e),e=>this.onOpen(e),()=>!!this.conversation),addEventListener(`pagehide`,this.onPageHide),this.outgoing=d(t);let r=_(()=>sessionStorage,t);r&&this.takeUp(r)}get isInCall(){return z.includes(this.stage)}get needsAgreement(){return this.availability.isRecorded&&this.availability.needsAgreement}close(){removeEventListener(`pagehide`,this.onPageHide),this.leave(),this.signaling.close()}async prepare(t,n){if(this.stage===`idle`||this.stage===`ended`){if(!this.hasHeard)this.wanted=t;else{if(!this.availability.isEnabled)return this.finish(e(`switchedOff`),`disabled`);Object.assign(this,{media:t,invitation:n,notice:``,stage:`checking`,hasLeftMessage:!1}),this.path=void 0,this.findPath(),await this.openMedia(t)}}}async openMedia(e){this.media=e,this.notice=``,this.releaseDevices();let{signal:t}=this.acquisition;this.changed();try{this.own=await g.open(e,t)}catch(e){if(t.aborted)return;this.notice=e.message}this.changed()}async call(e){let{own:t,media:n,name:r,email:i,invitation:a}=this;if(!t||!this.isOnline||this.stage!==`checking`)return;let o=this.begin(t);this.check.abort(),this.stage=`calling`,this.isRecorded=this.availability.isRecorded,this.changed();let{sdp:s}=await o.offer(1,n===`video`);if(this.conversation!==o)return;let{invitation:c=``}=a??{};this.signaling.send({type:`call`,media:n,offer:s,name:r,email:i,agreed:e,invitation:c}),this.invitation=void 0}hangUp(){this.resuming&&this.forsake(this.resuming);let t=this.conversation?.callId;if(!t)return this.finish(``,``);this.signaling.isOpen?this.signaling.send({type:`hangUp`,callId:t}):this.forsaken={callId:t,secret:this.conversation.secret};let n=this.isInCall;this.finish(e(n?`ended.hungUp`:`ended.cancelled`),n?`hungUp`:`cancelled`)}leaveMessage(t){let{lastCallId:n,name:r,email:i}=this;this.outgoing={callId:n,text:t,name:r,email:i,at:Date.now()},m(this.memoryKey,this.outgoing),this.hasLeftMessage=!0,this.notice=e(`messageSending`),this.sendMessage(),this.changed()}sendMessage(){if(!this.outgoing)return;let{callId:e,text:t,name:n,email:r}=this.outgoing;this.signaling.send({type:`leaveMessage`,callId:e,text:t,name:n,email:r})}messageSettled(e,t){this.outgoing=void 0,m(this.memoryKey,void 0),this.hasLeftMessage=t,!this.conversation&&this.stage!==`checking`&&Object.assign(this,{notice:e,stage:`ended`})}dismiss(){this.leave(),Object.assign(this,{stage:`idle`,notice:``,reason:``,invitation:void 0}),this.changed()}identify(e,t){Object.assign(this,{name:e,email:t}),this.sayHere(),this.changed()}begin(e){let t=new y(`visitor`,e,{send:e=>this.signaling.send(e),isOpen:()=>this.signaling.isOpen,iceServers:()=>this.iceServers});return t.addEventListener(`change`,()=>this.changed()),this.conversation=t,t}hear(t){switch(t.type){case`availability`:this.available(t);break;case`iceServers`:this.iceServers=t.servers;break;case`invited`:(this.stage===`idle`||this.stage===`ended`)&&this.invited(t);break;case`calling`:this.placed(t);break;case`queued`:this.queued(t.callId,t.place);break;case`connect`:this.connect(t.callId,t.link);break;case`messageKept`:t.callId===this.outgoing?.callId&&this.messageSettled(e(`messageLeft`),!0);break;case`probed`:this.answerPath?.(t.sdp);break;case`ended`:t.callId===this.conversation?.callId&&this.finish(i(t.reason),t.reason,t.by);break;case`refused`:this.refused(t);break;default:t.callId===this.conversation?.callId&&this.hearOfCall(t)}this.changed()}available(e){this.availability=e,this.hasHeard=!0,this.tell(`available`,{isEnabled:e.isEnabled}),this.wanted&&this.prepare(this.wanted),this.wanted=void 0}hearOfCall(e){this.conversation?.hear(e),e.type===`recording`&&(this.isRecorded=e.state!==`off`),e.type===`callState`&&this.reach(B[e.state]??this.stage)}placed({callId:e,isRecorded:t,secret:n,resumeSeconds:r}){if(!this.conversation)return this.signaling.send({type:`hangUp`,callId:e});Object.assign(this.conversation,{callId:e,secret:n}),Object.assign(this,{isRecorded:t,resumeSeconds:r}),this.tell(`ringing`,{callId:e})}queued(e,t){e===this.conversation?.callId&&(this.place=t,this.stage=`queued`,this.tell(`queued`,{callId:e,place:t}))}invited(e){Object.assign(this,{invitation:e,stage:`idle`,notice:``}),this.tell(`invited`,{agentName:e.agentName,media:e.media})}async connect(e,t){let n=this.conversation;if(e!==n?.callId)return;let{sdp:r,screenMid:i}=await n.offer(t,this.media===`video`||!!n.own.camera);this.signaling.send({type:`offer`,callId:e,link:t,sdp:r,screenMid:i})}refused({error:t,message:n,callId:r,id:i}){let a=this.conversation;if(this.outgoing&&r===this.outgoing.callId)return this.messageSettled(n,!1);if(a){if(i&&a.refuse(i)&&!b.includes(t))a.own.trouble=n;else{if(!a.callId)return this.finish(n,`failed`);if(r===a.callId&&b.includes(t))return this.finish(e(this.stage===`connected`?`ended.hungUp`:`ended.failed`),`failed`);a.own.trouble=n}}}reach(e){if(e===this.stage)return;this.stage=e;let{callId:t,otherName:n}=this.conversation;(e===`connecting`||e===`connected`||e===`reconnecting`)&&this.tell(e,{callId:t,agentName:n})}onOpen(e){this.isOnline=e,clearTimeout(this.patience),e?this.greet():this.conversation&&(this.patience=window.setTimeout(()=>this.giveUp(),this.resumeSeconds*1e3)),this.changed()}forsake(e){this.forsaken=e,this.signaling.isOpen&&this.greetForsaken()}greetForsaken(){let{forsaken:e}=this;e&&(this.signaling.send({type:`resume`,...e,hasMedia:!0}),this.signaling.send({type:`hangUp`,callId:e.callId}),this.forsaken=void 0)}greet(){this.sayHere(),this.greetForsaken(),this.sendMessage();let{conversation:t}=this;if(!t)return;if(!t.callId)return this.finish(e(`ended.failed`),`failed`);let{callId:n,secret:r,hasMedia:i}=t;this.signaling.send({type:`resume`,callId:n,secret:r,hasMedia:i||!this.isInCall}),t.sendPending()}giveUp(){this.finish(e(`ended.failed`),`failed`)}sayHere(){let e=(document.title||location.pathname).slice(0,200);this.signaling.send({type:`here`,page:e,name:this.name,email:this.email})}async takeUp(e){let{callId:t,secret:n,media:r,since:i,otherName:a,lines:o,pending:s}=e;Object.assign(this,{stage:`reconnecting`,media:r,resumeSeconds:e.resumeSeconds}),this.resuming={callId:t,secret:n},this.releaseDevices();let{signal:c}=this.acquisition;this.changed();try{let r=await g.open(e.hasCamera?`video`:`audio`,c);this.resuming=void 0,this.own=r,r.setMuted(e.isMuted);let l=this.begin(r);Object.assign(l,{callId:t,secret:n,since:i,otherName:a,lines:o,pending:s}),this.signaling.isOpen&&(this.signaling.send({type:`resume`,callId:t,secret:n,hasMedia:!1}),l.sendPending())}catch(e){if(c.aborted)return;this.forsake({callId:t,secret:n}),this.finish(e.message,`failed`)}this.changed()}remember(){let{conversation:e,media:t,resumeSeconds:n,memoryKey:r}=this;if(!e?.callId)return;let{callId:i,secret:a,since:o,otherName:s,lines:c,pending:l,details:u,own:d}=e,f={isMuted:d.isMuted,hasCamera:!!d.camera,leftAt:Date.now()};v(()=>sessionStorage,r,{callId:i,secret:a,media:t,since:o,otherName:s,lines:c,pending:l,details:u,resumeSeconds:n,...f})}async findPath(){let e=e=>(this.signaling.send({type:`probe`,offer:e}),new Promise(e=>this.answerPath=e));this.path=`looking`,this.check=new AbortController;let{signal:t}=this.check,n=await P(e,this.iceServers,t);t.aborted||(this.path=n,this.answerPath=void 0,this.changed())}releaseDevices(){this.acquisition.abort(),this.acquisition=new AbortController,this.own?.close(),this.own=void 0}leave(){clearTimeout(this.patience),this.check.abort(),this.conversation?.close(),this.conversation=this.resuming=void 0,this.releaseDevices()}finish(e,t,n=`visitor`){let r=this.conversation?.callId??``,i=!!this.conversation;this.leave(),this.lastCallId=r||this.lastCallId,Object.assign(this,{notice:e,reason:t,stage:e?`ended`:`idle`,place:0,invitation:void 0}),this.changed(),i&&this.tell(`ended`,{callId:r,reason:t,by:n})}},H=r`
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
`,U={calling:`calling`,queued:`queuedHelp`,connecting:`connecting`},W=class extends a{constructor(...e){super(...e),this.origin=location.origin,this.site=`1`,this.join=``,this.stage=`idle`,this.hadFocus=!1,this.watch=new p(this,()=>this.visitor)}static{this.styles=[o,H]}connectedCallback(){super.connectedCallback();let e=this.join?`join=${encodeURIComponent(this.join)}`:`site=${encodeURIComponent(this.site)}`,t=(e,t)=>this.dispatchEvent(new CustomEvent(e,{detail:t}));this.visitor=new V(h(this.origin,`/signaling/visitor?${e}`),`visavis.call.${e}`,t)}disconnectedCallback(){super.disconnectedCallback(),this.visitor?.close()}call(e){return this.visitor.prepare(e)}get peerConnection(){return this.visitor?.conversation?.link?.connection}willUpdate(){this.hadFocus=this.shadowRoot?.activeElement!==null,this.stage=this.visitor.stage}updated(e){let t=e.get(`stage`);e.has(`stage`)&&t!==void 0&&(this.hadFocus||this.stage===`checking`)&&this.focusFirst()}render(){let{stage:t,availability:r,invitation:i}=this.visitor;return t===`idle`&&!r.isEnabled?u:n`<section class="card ${t}" role=${t!==`idle`&&t!==`ended`?`dialog`:`region`} aria-label=${e(`talkToUs`)} @keydown=${this.onKey}>
      ${i&&t===`idle`?this.invited():this.body(t)}
    </section>`}body(t){switch(t){case`idle`:return this.launcher();case`checking`:return n`<visavis-check .visitor=${this.visitor}></visavis-check>`;case`ended`:return this.ended();case`connected`:case`reconnecting`:return this.visitor.conversation?this.inCall():this.waiting(e(`reconnecting`));default:return this.waiting(e(U[t]))}}launcher(){let{isRecorded:t}=this.visitor.availability;return n`
      <p class="title">${e(`talkToUs`)}</p>
      <div class="buttons">
        <button class="primary" id="video" @click=${()=>this.call(`video`)}>${C(`camera`)} ${e(`videoCall`)}</button>
        <button id="audio" @click=${()=>this.call(`audio`)}>${C(`phone`)} ${e(`audioCall`)}</button>
      </div>
      ${t?n`<p class="quiet small">${e(`recordedNotice`)}</p>`:u}
    `}invited(){let t=this.visitor.invitation,{agentName:r,media:i}=t;return n`
      <div class="who"><span class="face">${C(`person`,26)}</span>
        <p role="alert"><strong>${r||e(`agent`)}</strong> ${e(i===`video`?`invitesVideo`:`invitesAudio`)}</p></div>
      <div class="buttons">
        <button class="primary" id="first" @click=${()=>this.visitor.prepare(i,t)}>${C(`phone`)} ${e(`acceptInvitation`)}</button>
        <button @click=${()=>this.visitor.dismiss()}>${e(`noThanks`)}</button>
      </div>
    `}waiting(t){let{stage:r,place:i,isOnline:a}=this.visitor;return n`
      <div class="who"><span class="face ringing">${C(`phone`,26)}</span>
        <div>
          <p class="title" role="status">${t}</p>
          ${r===`queued`?n`<p class="place" role="status">${e(`yourPlace`)} <strong>${i}</strong></p>`:u}
          ${a?u:n`<p class="small error">${e(`lostSignaling`)}</p>`}
        </div></div>
      <button class="danger" id="first" @click=${()=>this.visitor.hangUp()}>${C(`hangUp`)} ${e(`cancel`)}</button>
    `}inCall(){let{conversation:t,stage:r,isOnline:i}=this.visitor;return n`
      <p class="unseen" role="status">${e(r===`connected`?`connected`:`reconnecting`)}</p>
      <visavis-call id="first" tabindex="-1" .conversation=${t} heading=${t.otherName||e(`agent`)}
        ?isReconnecting=${r===`reconnecting`} ?isOnline=${i} @hang-up=${()=>this.visitor.hangUp()}></visavis-call>
    `}ended(){let{notice:t,reason:r,hasLeftMessage:i,availability:a}=this.visitor,o=(r===`missed`||r===`declined`)&&!i;return n`
      <div class="head"><p class="title" id="first" tabindex="-1" role="status">${t}</p>
        <button class="round" aria-label=${e(`close`)} title=${e(`close`)} @click=${()=>this.visitor.dismiss()}>${C(`close`,18)}</button></div>
      ${o?n`<p class="quiet">${e(`leaveMessage`)}</p><visavis-message .visitor=${this.visitor}></visavis-message>`:u}
      ${a.isEnabled&&!o?this.launcher():u}
    `}focusFirst(){let e=this.renderRoot.querySelector(`visavis-check`);e?e.updateComplete.then(()=>e.renderRoot.querySelector(`#title`)?.focus()):this.renderRoot.querySelector(`#first, #video`)?.focus()}onKey(e){e.key===`Escape`&&this.stage===`checking`&&this.visitor.hangUp()}};l([c()],W.prototype,`origin`,void 0),l([c()],W.prototype,`site`,void 0),l([c()],W.prototype,`join`,void 0),l([c({reflect:!0,attribute:`data-state`})],W.prototype,`stage`,void 0),W=l([t(`visavis-widget`)],W);export{W as t};