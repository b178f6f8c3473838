/* empty css             */import{d as e,f as t,g as n,h as r,i,l as a,m as o,p as s,t as c,u as l,v as u,x as d}from"./decorate-t_bKOMS2.js";import"./page-header-Dn5XINpE.js";import{a as f,c as p,d as m,i as h,l as g,n as _,o as v,r as y,s as b,t as x,u as S}from"./local-media-CFjYfOd4.js";import{i as C,t as w}from"./format-DdnngG-R.js";import{t as T}from"./icons-DtcLa5Vy.js";import{n as E}from"./observable-DkUD7H3Y.js";import{n as D,t as O}from"./refusal-CBjRxXIj.js";var k=d`
  main { max-width: 736px; margin: 0 auto; padding: clamp(24px, 8vh, 80px) 20px; }
  .card { padding: 32px; }
`,A=100,j=class{constructor(e,t){this.audio=new AudioContext,this.analyser=this.audio.createAnalyser(),this.samples=new Float32Array(1024),this.analyser.fftSize=1024,this.audio.createMediaStreamSource(new MediaStream([e])).connect(this.analyser),this.timer=window.setInterval(()=>t(this.measure()),A)}get isMeasuring(){return this.audio.state===`running`}close(){clearInterval(this.timer),this.audio.close()}measure(){!this.isMeasuring&&navigator.userActivation?.isActive&&this.audio.resume(),this.analyser.getFloatTimeDomainData(this.samples);let e=this.samples.reduce((e,t)=>e+t*t,0)/this.samples.length,t=10*Math.log10(e||1e-12);return Math.min(1,Math.max(0,1+t/60))}},M=.25,N=6e3,P={listening:[`sayHello`,`quiet`],heard:[`microphoneWorks`,`good`],silent:[`microphoneSilent`,`warn`]},F={good:`good`,warn:`warning`,quiet:`sound`},I=class extends r{constructor(...e){super(...e),this.loudness=0,this.hearing=`listening`,this.silence=0,this.watch=new E(this,()=>this.visitor),this.watchOwn=new E(this,()=>this.visitor.own)}static{this.styles=[i,d`
      :host { display: grid; gap: 14.4px; }
      .picture { position: relative; aspect-ratio: 16 / 9; width: 100%; max-height: max(96px, 40dvh); border-radius: 12px; overflow: hidden; background: #0c1013; color: #e8ecef; display: grid; place-items: center; }
      .picture.voice { aspect-ratio: 5 / 1; }
      video { width: 100%; height: 100%; object-fit: cover; transform: scaleX(-1); display: block; }
      .picture p { margin: 0; padding: 16px; text-align: center; }
      .level { position: absolute; inset: auto 12px 12px; display: flex; gap: 8px; align-items: center; padding: 5.6px 9.6px; border-radius: 999px; background: #0009; }
      .voice .level { position: static; width: calc(100% - 24px); background: none; }
      .level span { flex: 1; height: 6px; border-radius: 3px; background: #fff3; overflow: hidden; }
      .level i { display: block; height: 100%; background: #5fd0bd; transform-origin: left; border-radius: 3px; transition: transform 0.1s linear; }
      @media (forced-colors: active) { .level span { border: 1px solid; } .level i { forced-color-adjust: none; background: Highlight; } }
      ul { list-style: none; margin: 0; padding: 0; display: grid; gap: 6.4px; font-size: 14.4px; }
      form { display: grid; gap: 14.4px; }
      .pair { display: grid; gap: 12px; }
      .bar { display: flex; gap: 8px; flex-wrap: wrap; }
      form .bar { position: sticky; bottom: -20px; padding: 8px 0 20px; margin-bottom: -20px; background: var(--card); }
      .bar .primary { flex: 1; }
      summary { cursor: pointer; color: var(--accent); font-size: 14.4px; border-radius: 6px; width: fit-content; }
      details[open] summary { margin-bottom: 12px; }
      h2, form p { margin: 0; }
      /* two columns: in landscape a form below the picture would begin outside the window */
      @media (min-width: 560px) and (max-height: 480px) { :host { grid-template-columns: 1fr 1fr; align-content: start; } h2 { grid-column: 1 / -1; } form { grid-area: 2 / 2 / span 3; align-content: start; } }
    `]}disconnectedCallback(){super.disconnectedCallback(),this.stopListening()}updated(){let e=this.visitor.own?.microphone;e!==this.listened&&(this.stopListening(),this.listened=e,e&&(this.hearing=`listening`,this.level=new j(e,e=>this.hear(e)),this.silence=window.setTimeout(()=>{this.hearing===`listening`&&this.level?.isMeasuring&&(this.hearing=`silent`)},N)))}render(){let{own:t,media:r}=this.visitor;return u`
      <h2 id="title" tabindex="-1">${e(r===`video`?`videoCall`:`audioCall`)}</h2>
      ${t?this.picture():this.asking()}
      ${t?u`<ul aria-live="polite">${this.findings()}</ul><details><summary>${e(`chooseDevices`)}</summary><visavis-devices .own=${t}></visavis-devices></details>`:n}
      ${this.form()}
    `}asking(){let{notice:t,media:r}=this.visitor;return t?u`<p class="line error" role="alert">${T(`warning`)} ${t}</p>
      <div class="bar">
        <button @click=${()=>this.visitor.openMedia(r)}>${e(`tryAgain`)}</button>
        ${r===`video`?u`<button @click=${()=>this.visitor.openMedia(`audio`)}>${e(`microphoneOnly`)}</button>`:n}
      </div>`:u`<div class="picture"><p role="status">${e(r===`video`?`askingMedia`:`askingMicrophone`)}</p></div>`}picture(){let t=this.visitor.own,r=Math.round(this.loudness*100);return u`<div class="picture ${t.camera?``:`voice`}">
      ${t.camera?u`<video autoplay playsinline muted aria-label=${e(`yourPicture`)} .srcObject=${t.stream}></video>`:n}
      <div class="level" role="meter" aria-label=${e(`microphoneLevel`)} aria-valuenow=${r} aria-valuemin="0" aria-valuemax="100">
        ${T(`microphone`,16)}<span><i .style=${`transform: scaleX(${this.loudness})`}></i></span>
      </div>
    </div>`}findings(){let t=this.visitor.own,[r,i]=P[this.hearing];return[L(e(r),i),t.trouble?L(t.trouble,`warn`):t.camera?L(e(`cameraWorks`),`good`):n,this.path()]}path(){let{path:t}=this.visitor;if(t===`looking`||t===void 0)return L(e(`pathLooking`),`quiet`);if(t===`unknown`)return L(e(`pathUnknown`),`quiet`);if(t===`blocked`)return L(e(`pathBlocked`),`warn`);let n=t.roundTrip===void 0?``:` (${t.roundTrip} ms)`;return L(e(t.protocol===`udp`?`pathFree`:`pathByTcp`)+n,`good`)}form(){let{visitor:t}=this,{isRecorded:r}=t.availability;return u`<form @submit=${this.submit}>
      <div class="pair">
        <label class="field">${e(`yourName`)}<input name="name" @input=${S(200)} autocomplete="name" .value=${t.name} /></label>
        <label class="field">${e(`yourEmail`)}<input name="email" type="email" @input=${S(200)} autocomplete="email" .value=${t.email} /></label>
      </div>
      ${t.needsAgreement?u`<label class="tick"><input type="checkbox" name="agreed" required /><span>${e(`agreement`)}</span></label>`:r?u`<p class="line small">${T(`record`,18)} ${e(`recordedNotice`)}</p>`:n}
      <div class="bar">
        <button class="primary" ?disabled=${!t.own||!t.isOnline}>${T(`phone`)} ${e(`callNow`)}</button>
        <button type="button" @click=${()=>t.hangUp()}>${e(`back`)}</button>
      </div>
      ${t.isOnline?n:u`<p class="error small" role="alert">${e(`lostSignaling`)}</p>`}
    </form>`}submit(e){e.preventDefault();let t=new FormData(e.target);this.visitor.identify(C(t,`name`),C(t,`email`)),this.visitor.call(t.has(`agreed`))}hear(e){this.loudness=e,e>M&&(this.hearing=`heard`)}stopListening(){clearTimeout(this.silence),this.level?.close(),this.level=this.listened=void 0}};c([s({attribute:!1})],I.prototype,`visitor`,void 0),c([t()],I.prototype,`loudness`,void 0),c([t()],I.prototype,`hearing`,void 0),I=c([o(`visavis-check`)],I);var L=(e,t)=>u`<li class="line ${t}">${T(F[t],18)} <span>${e}</span></li>`,R=class extends r{static{this.styles=[i,d`
      form { display: grid; gap: 12px; }
      .pair { display: grid; gap: 12px; }
      textarea { min-height: 96px; resize: vertical; }
      .bar { display: flex; gap: 8px; flex-wrap: wrap; }
      .bar button { flex: 1 1 auto; }
    `]}render(){let{name:t,email:n}=this.visitor;return u`<form @submit=${this.submit}>
      <div class="pair">
        <label class="field">${e(`yourName`)}<input name="name" @input=${S(200)} autocomplete="name" .value=${t} /></label>
        <label class="field">${e(`yourEmail`)}<input name="email" type="email" @input=${S(200)} autocomplete="email" .value=${n} /></label>
      </div>
      <label class="field">${e(`yourMessage`)}<textarea name="text" .value=${this.visitor.unsent} @input=${this.write} required></textarea></label>
      <div class="bar">
        <button class="primary">${e(`sendMessage`)}</button>
        <button type="button" @click=${()=>this.visitor.dismiss()}>${e(`close`)}</button>
      </div>
    </form>`}write(e){S(4e3)(e),this.visitor.unsent=e.target.value}submit(e){e.preventDefault();let t=new FormData(e.target),n=t.get(`text`);n.trim()&&(this.visitor.identify(C(t,`name`),C(t,`email`)),this.visitor.leaveMessage(n))}};c([s({attribute:!1})],R.prototype,`visitor`,void 0),R=c([o(`visavis-message`)],R);var z=8e3,B=async(e,t,n)=>{let r=new RTCPeerConnection({bundlePolicy:`max-bundle`,rtcpMuxPolicy:`require`,iceServers:t}),i=new Promise(e=>n.addEventListener(`abort`,()=>e(void 0)));try{r.addTransceiver(`audio`,{direction:`inactive`}),await r.setLocalDescription();let t=await Promise.race([e(r.localDescription.sdp),V(z,``),i]);if(!t)return`unknown`;await r.setRemoteDescription({type:`answer`,sdp:t});let n=await Promise.race([H(r),V(z,!1),i]);return n===void 0?`unknown`:n?await U(r):`blocked`}finally{r.close()}},V=(e,t)=>new Promise(n=>setTimeout(()=>n(t),e)),H=e=>new Promise(t=>{e.onconnectionstatechange=()=>{e.connectionState===`connected`&&t(!0),e.connectionState===`failed`&&t(!1)}}),U=async e=>{let t=await Promise.race([e.getStats(),V(z,void 0)]);if(!t)return`unknown`;let n=[...t.values()],r=n.find(e=>e.type===`transport`),i=n.find(e=>e.id===r?.selectedCandidatePairId||e.type===`candidate-pair`&&e.selected),a=n.find(e=>e.id===i?.localCandidateId),o=i?.currentRoundTripTime;return{protocol:a?.relayProtocol??a?.protocol??`udp`,roundTrip:o===void 0?void 0:Math.round(o*1e3)}},W=200,G=[`connecting`,`connected`,`reconnecting`],K={queued:`queued`,ringing:`calling`,accepted:`connecting`,connecting:`connecting`,connected:`connected`,reconnecting:`reconnecting`},q=class extends y{constructor(e,t,n,r=()=>void 0,i){super(`visitor`,()=>sessionStorage,t),this.url=e,this.tell=n,this.onRefused=r,this.stage=`idle`,this.availability={type:`availability`,isEnabled:!1,isRecorded:!1,needsAgreement:!1,isStaffed:!0},this.reason=``,this.place=0,this.isRecorded=!1,this.hasLeftMessage=!1,this.name=``,this.email=``,this.lastCallId=``,this.hasRelay=!1,this.hasHeard=!1,this.hasAsked=!1,this.check=new AbortController,this.outgoing=b(t),this.start(e,i)}get hasCall(){return this.conversation!==void 0}get isInCall(){return G.includes(this.stage)}get isStaffed(){return this.availability.isStaffed!==!1||this.url.includes(`join=`)}get needsAgreement(){return this.availability.isRecorded&&this.availability.needsAgreement}async prepare(t,n){if(this.stage===`idle`||this.stage===`ended`){if(!this.hasHeard)this.wanted=t;else{if(!this.availability.isEnabled)return this.finish(e(`switchedOff`),`disabled`);if(!this.isStaffed&&!n)return this.offerMessage();Object.assign(this,{media:t,invitation:n,notice:``,stage:`checking`,hasLeftMessage:!1}),this.path=void 0,this.verified=this.signaling.verified(),this.findPath(),await this.openMedia(t)}}}async openMedia(e){this.media=e,this.notice=``,this.releaseDevices();let t=this.newAcquisition();this.changed();try{this.own=await x.open(e,t)}catch(e){if(t.aborted)return;this.notice=e.message}this.changed()}async call(e){let{own:t,media:n,name:r,email:i,invitation:a}=this;if(!t||!this.isOnline||this.stage!==`checking`)return;let o=this.beginConversation(t);this.check.abort(),this.stage=`calling`,this.hasAsked=!1,this.isRecorded=this.availability.isRecorded,this.changed();let{sdp:s}=await o.offer(1,n===`video`);if(await this.verified,this.conversation!==o)return;this.hasAsked=!0;let{invitation:c=``}=a??{};this.signaling.send({type:`call`,media:n,offer:s,name:r,email:i,agreed:e,invitation:c}),this.invitation=void 0}hangUp(){this.resuming&&this.abandon(this.resuming);let t=this.conversation?.callId;if(!t)return this.finish(``,``);this.abandon({callId:t,secret:this.conversation.secret},!0);let n=this.isInCall;this.finish(e(n?`ended.hungUp`:`ended.cancelled`),n?`hungUp`:`cancelled`)}leaveMessage(t){let{lastCallId:n,name:r,email:i}=this;this.outgoing={callId:n,id:crypto.randomUUID(),text:t,name:r,email:i,at:Date.now()},v(this.storageKey,this.outgoing),this.hasLeftMessage=!0,this.unsent=``,this.notice=e(`messageSending`),this.sendMessage(),this.changed()}offerMessage(){this.finish(e(`nobodyHere`),`unattended`),this.lastCallId=``,this.hasLeftMessage=!1,this.changed()}sendMessage(){if(!this.outgoing)return;let{callId:e,id:t,text:n,name:r,email:i}=this.outgoing;this.signaling.send({type:`leaveMessage`,callId:e,id:t,text:n,name:r,email:i})}messageSettled(e,t){t||(this.unsent=this.outgoing.text),this.outgoing=void 0,v(this.storageKey,void 0),this.hasLeftMessage=t,!this.conversation&&this.stage!==`checking`&&Object.assign(this,{notice:e,stage:`ended`})}dismiss(){this.stage===`ended`&&(this.unsent=``),this.leave(),Object.assign(this,{stage:`idle`,notice:``,reason:``,invitation:void 0}),this.changed()}identify(e,t){Object.assign(this,{name:e,email:t}),this.announcePage(),this.changed()}receive(t){switch(t.type){case`availability`:this.available(t);break;case`iceServers`:this.iceServers=t.servers,this.hasRelay=t.hasRelay??!1;break;case`invited`:(this.stage===`idle`||this.stage===`ended`)&&this.invited(t);break;case`calling`:this.placed(t);break;case`queued`:this.queued(t.callId,t.place);break;case`connect`:this.connect(t.callId,t.link);break;case`messageKept`:t.callId===this.outgoing?.callId&&this.messageSettled(e(`messageLeft`),!0);break;case`probed`:this.answerPath?.(t.sdp);break;case`ended`:t.callId===this.conversation?.callId&&this.finish(l(t.reason),t.reason,t.by);break;case`refused`:this.refused(t);break;default:t.callId===this.conversation?.callId&&this.hearOfCall(t)}this.changed()}available(e){this.availability=e,this.hasHeard=!0,this.tell(`available`,{isEnabled:e.isEnabled,isStaffed:this.isStaffed}),this.wanted&&this.prepare(this.wanted),this.wanted=void 0}hearOfCall(e){this.conversation?.hear(e),e.type===`recording`&&(this.isRecorded=e.state!==`off`),e.type===`callState`&&this.reach(K[e.state]??this.stage)}placed({callId:e,isRecorded:t,secret:n,resumeSeconds:r}){if(!this.conversation)return this.abandon({callId:e,secret:n},!0);Object.assign(this.conversation,{callId:e,secret:n}),Object.assign(this,{isRecorded:t,resumeSeconds:r}),this.tell(`ringing`,{callId:e})}queued(e,t){e===this.conversation?.callId&&(this.place=t,this.stage=`queued`,this.tell(`queued`,{callId:e,place:t}))}invited(e){Object.assign(this,{invitation:e,stage:`idle`,notice:``}),this.tell(`invited`,{agentName:e.agentName,media:e.media})}async connect(e,t){let n=this.conversation;if(e!==n?.callId)return;let{sdp:r,screenMid:i}=await n.offer(t,this.media===`video`||!!n.own.camera);this.signaling.send({type:`offer`,callId:e,link:t,sdp:r,screenMid:i})}refused(t){let{error:n,callId:r}=t,i=O(D,t),a=this.conversation;if(this.outgoing&&r===this.outgoing.callId)return this.messageSettled(i,!1);if(a){if(this.isRefusedLine(t))a.own.trouble=i;else{if(!a.callId)return this.finish(i,`failed`);if(r===a.callId&&g.includes(n))return this.finish(e(this.stage===`connected`?`ended.hungUp`:`ended.failed`),`failed`);a.own.trouble=i}}}reach(e){if(e===this.stage)return;this.stage=e;let{callId:t,otherName:n}=this.conversation;(e===`connecting`||e===`connected`||e===`reconnecting`)&&this.tell(e,{callId:t,agentName:n})}greet(){this.announcePage(),this.hangUpAbandoned(),this.sendMessage();let{conversation:t}=this;if(t){if(!t.callId)return this.hasAsked?this.finish(e(`ended.failed`),`failed`):void 0;this.resumeOnServer(t,t.hasMedia||!this.isInCall)}}refusedByServer(e){return this.onRefused(e),this.availability={...this.availability,isEnabled:!1},this.stage!==`idle`&&this.stage!==`ended`&&this.giveUp(),!0}giveUp(){this.finish(e(`ended.failed`),`failed`)}announcePage(){let e=m(document.title||location.pathname,W);this.signaling.send({type:`here`,page:e,name:this.name,email:this.email})}async resume(e){let{callId:t,secret:n,media:r,otherName:i}=e;Object.assign(this,{stage:`reconnecting`,media:r,resumeSeconds:e.resumeSeconds}),this.resuming={callId:t,secret:n},this.releaseDevices();let a=this.newAcquisition();this.changed();try{let r=await x.open(e.hasCamera?`video`:`audio`,a);this.resuming=void 0,this.own=r;let o=this.beginConversation(r);Object.assign(o,{callId:t,secret:n,otherName:i}),this.restore(o,e),this.signaling.isOpen&&this.resumeOnServer(o,!1)}catch(r){if(a.aborted)return;this.abandon({callId:t,secret:n}),this.keepUnsent(_(e)),this.finish(r.message,`failed`)}this.changed()}loseCall(t){let n=_(t);n&&(this.keepUnsent(n),this.finish(e(`ended.failed`),`failed`))}keepUnsent(e){Object.assign(this,{unsent:e,lastCallId:``,hasLeftMessage:!1})}async findPath(){let e=e=>(this.signaling.send({type:`probe`,offer:e}),new Promise(e=>this.answerPath=e));this.path=`looking`,this.check=new AbortController;let{signal:t}=this.check,n=await B(e,this.iceServers,t);t.aborted||(this.path=n===`blocked`&&this.hasRelay?`unknown`:n,this.answerPath=void 0,this.changed())}releaseDevices(){this.acquisition.abort(),this.own?.close(),this.own=void 0}leave(){super.leave(),this.check.abort(),this.resuming=void 0,this.releaseDevices()}finish(e,t,n=`visitor`){let r=this.conversation?.callId??``,i=!!this.conversation,a=this.conversation&&_(this.conversation);this.leave(),this.lastCallId=r||this.lastCallId,a&&this.keepUnsent(a),Object.assign(this,{notice:e,reason:t,stage:e?`ended`:`idle`,place:0,invitation:void 0}),this.changed(),i&&this.tell(`ended`,{callId:r,reason:t,by:n})}},J=d`
  :host {
    --offset-x: 16px; --offset-y: 16px;
    position: fixed !important; inset: auto max(var(--offset-x), env(safe-area-inset-right)) max(var(--offset-y), env(safe-area-inset-bottom)) auto !important;
    z-index: 2147483000 !important; max-width: calc(100vw - 2 * var(--offset-x)) !important;
    display: flex !important; justify-content: flex-end; margin: 0 !important; padding: 0 !important; border: 0 !important;
    width: auto !important; height: auto !important; transform: none !important; filter: none !important; opacity: 1 !important; float: none !important;
    pointer-events: auto !important; visibility: visible !important; background: none !important;
    direction: ltr !important; letter-spacing: normal !important; word-spacing: normal !important; text-transform: none !important;
    text-indent: 0 !important; text-align: start !important; text-shadow: none !important; white-space: normal !important; font-style: normal !important;
    font-variant: normal !important; font-weight: 400 !important; font-size: 16px !important; line-height: 1.45 !important; font-family: system-ui, sans-serif !important;
    color: var(--ink) !important; cursor: auto !important; user-select: auto !important; word-break: normal !important; hyphens: manual !important; writing-mode: horizontal-tb !important;
  }
  :host([left]) { inset: auto auto max(var(--offset-y), env(safe-area-inset-bottom)) max(var(--offset-x), env(safe-area-inset-left)) !important; justify-content: flex-start; }
  :host([join]) { position: static !important; display: block !important; max-width: none !important; }
  .launcher { width: 56px; height: 56px; padding: 0; box-shadow: 0 6px 20px #0004; }
  .card { box-shadow: 0 12px 40px #0003, 0 2px 8px #0002; width: min(352px, 100%); max-height: calc(100dvh - 2 * var(--offset-y)); overflow-y: auto; overscroll-behavior: contain; }
  .card.connected, .card.reconnecting { width: min(512px, calc(100vw - 2 * var(--offset-x))); padding: 12px; }
  .card.idle { width: auto; padding: 12px 16px 16px; }
  .card.small-bar { width: auto; max-width: 100%; padding: 8px 8px 8px 16px; border-radius: 999px; }
  .line-bar { display: flex; align-items: center; gap: 8px; min-width: 0; }
  .line-bar .name { margin: 0; font-weight: 600; min-width: 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
  .line-bar .time { font-variant-numeric: tabular-nums; color: var(--quiet); }
  :host([join]) .card { width: auto; max-height: none; box-shadow: none; }
  .title { font-weight: 650; margin: 0; }
  .buttons { display: flex; flex-wrap: wrap; gap: 8px; }
  .buttons + p { margin: 10px 0 0; }
  .who { display: flex; gap: 14px; align-items: center; margin-bottom: 16px; }
  .who p { margin: 0; }
  .who .place { color: var(--quiet); }
  .face { flex: none; width: 52px; height: 52px; border-radius: 50%; display: grid; place-items: center; background: var(--accent); color: var(--on-accent); }
  .face.ringing { animation: ring 1.8s ease-out infinite; }
  @keyframes ring { from { box-shadow: 0 0 0 0 color-mix(in srgb, var(--accent) 60%, transparent); } to { box-shadow: 0 0 0 14px transparent; } }
  .who + button { width: 100%; }
  .head { display: flex; gap: 12px; align-items: center; justify-content: space-between; margin-bottom: 8px; }
  .head button { border-color: transparent; margin: -4px -8px 0 0; background: none; }
  @media (max-width: 480px), (max-height: 480px) {
    :host(:not([join])) .card:not(.idle):not(.small-bar):not(.ended) { position: fixed; inset: auto 0 0; width: auto; max-width: none; border-radius: 18px 18px 0 0; border-width: 1px 0 0; max-height: 100dvh; padding-bottom: max(16px, env(safe-area-inset-bottom)); }
    .buttons button { flex: 1 1 auto; }
    :host(:not([join])) .card.connected:not(.small-bar), :host(:not([join])) .card.reconnecting:not(.small-bar) { padding: 8px; padding-bottom: max(8px, env(safe-area-inset-bottom)); }
  }
  @media (prefers-reduced-motion: reduce) { .face.ringing { box-shadow: 0 0 0 5px color-mix(in srgb, var(--accent) 35%, transparent); } }
  @media (forced-colors: active) { .launcher, .face { border: 1px solid ButtonText; } }
  @media print { :host { display: none !important; } }
`,Y={calling:`calling`,queued:`queuedHelp`,connecting:`connecting`},X=`(max-width: 480px), (max-height: 480px)`,Z=[`keydown`,`keypress`,`keyup`],Q=class extends r{constructor(...e){super(...e),this.origin=location.origin,this.site=`1`,this.join=``,this.stage=`idle`,this.isOpen=!0,this.isHidden=!1,this.isSmall=!1,this.keepInside=e=>e.stopPropagation(),this.hadFocus=!1,this.focusNext=!1,this.watch=new E(this,()=>this.visitor)}static{this.styles=[i,J]}connectedCallback(){super.connectedCallback();for(let e of Z)this.addEventListener(e,this.keepInside);if(this.visitor)return this.requestUpdate();let e=this.join?`join=${encodeURIComponent(this.join)}`:`site=${encodeURIComponent(this.site)}`,t=(e,t)=>this.dispatchEvent(new CustomEvent(e,{detail:t}));this.visitor=new q(h(this.origin,`/signaling/visitor?${e}`),`visavis.call.${e}`,t,e=>this.complain(e),this.early),this.early=void 0,this.join||(this.isOpen=!matchMedia(X).matches&&!f(this.site))}disconnectedCallback(){super.disconnectedCallback();for(let e of Z)this.removeEventListener(e,this.keepInside)}complain(e){let t=this.join?`this join link`:`data-site="${this.site}" at ${this.origin}`;console.error(`visavis: ${t} was refused: ${e} The widget stays hidden.`)}place(e=`right`,t=``){this.toggleAttribute(`left`,e===`left`);let[n,r=n]=t.split(`,`).map(e=>Number.parseFloat(e));n!==void 0&&n>=0&&this.style.setProperty(`--offset-x`,`${n}px`),r!==void 0&&r>=0&&this.style.setProperty(`--offset-y`,`${r}px`)}call(e){return this.visitor.prepare(e)}show(){Object.assign(this,{isHidden:!1,isSmall:!1}),this.open()}hide(){this.isHidden=!0}minimize(){this.stage===`idle`||this.stage===`ended`?this.shrink():this.isSmall=!0}destroy(){this.visitor?.hangUp(),this.visitor?.close(),this.remove()}get peerConnection(){return this.visitor?.conversation?.link?.connection}willUpdate(){this.hadFocus=this.shadowRoot?.activeElement!==null,this.stage=this.visitor.stage;let{invitation:e}=this.visitor;(e||this.stage!==`idle`&&this.stage!==`ended`)&&(this.isHidden=!1),(this.stage===`idle`||this.stage===`ended`)&&(this.isSmall=!1)}updated(e){this.focusNext&&this.focusFirst(),this.focusNext=!1;let t=e.get(`stage`);e.has(`stage`)&&t!==void 0&&(this.hadFocus||this.stage===`checking`)&&this.focusFirst()}render(){let{stage:t,availability:r,invitation:i}=this.visitor;if(this.isHidden||t===`idle`&&!r.isEnabled)return n;if(t===`idle`&&!i&&!this.isOpen)return this.launcher();let a=t!==`idle`&&t!==`ended`;return u`<section class="card ${t} ${this.isSmall?`small-bar`:``}" dir="ltr" role=${a?`dialog`:`region`} aria-label=${e(`talkToUs`)} @keydown=${this.onKey}>
      ${this.isSmall?this.bar():n}
      <div class="content" ?hidden=${this.isSmall}>${i&&t===`idle`?this.invited():this.body(t)}</div>
    </section>`}body(t){switch(t){case`idle`:return this.choices();case`checking`:return u`<visavis-check .visitor=${this.visitor}></visavis-check>`;case`ended`:return this.ended();case`connected`:case`reconnecting`:return this.visitor.conversation?this.inCall():this.waiting(e(`reconnecting`));default:return this.waiting(e(Y[t]))}}launcher(){return u`<button class="primary launcher" id="first" dir="ltr" aria-label=${e(`talkToUs`)} title=${e(`talkToUs`)} aria-expanded="false" @click=${()=>this.openByHand()}>${T(`phone`,26)}</button>`}choices(){let{isRecorded:t}=this.visitor.availability,r=t=>u`<div class="head"><p class="title">${e(t)}</p>${this.stage===`idle`&&!this.join?this.shrinker():n}</div>`;return this.visitor.isStaffed?u`
      ${r(`talkToUs`)}
      <div class="buttons">
        <button class="primary" id="video" @click=${()=>this.call(`video`)}>${T(`camera`)} ${e(`videoCall`)}</button>
        <button id="audio" @click=${()=>this.call(`audio`)}>${T(`phone`)} ${e(`audioCall`)}</button>
      </div>
      ${t?u`<p class="quiet small">${e(`recordedNotice`)}</p>`:n}
    `:u`${r(`nobodyHere`)}
        <div class="buttons"><button class="primary" id="message" @click=${()=>this.call(`audio`)}>${T(`chat`)} ${e(`leaveMessageNow`)}</button></div>`}shrinker(){return u`<button class="round" id="minimize" aria-label=${e(`makeSmall`)} title=${e(`makeSmall`)} @click=${()=>this.minimizeByHand()}>${T(`minimize`,18)}</button>`}bar(){let{conversation:t,stage:r,isInCall:i}=this.visitor,a=t?.seconds,o=r===`connected`||r===`reconnecting`?t?.otherName||e(`agent`):e(Y[r]??`calling`);return u`<div class="line-bar">
      <p class="name" role="status">${r===`reconnecting`?e(`reconnecting`):o}</p>
      ${a===void 0?n:u`<span class="time">${w(a)}</span>`}
      <button class="round" id="restore" aria-label=${e(`openCall`)} title=${e(`openCall`)} @click=${()=>this.restoreByHand()}>${T(`enlarge`,18)}</button>
      <button class="round danger" aria-label=${e(i?`hangUp`:`cancel`)} title=${e(i?`hangUp`:`cancel`)} @click=${()=>this.visitor.hangUp()}>${T(`hangUp`)}</button>
    </div>`}invited(){let t=this.visitor.invitation,{agentName:n,media:r}=t;return u`
      <div class="who"><span class="face">${T(`person`,26)}</span>
        <p role="alert"><strong>${n||e(`agent`)}</strong> ${e(r===`video`?`invitesVideo`:`invitesAudio`)}</p></div>
      <div class="buttons">
        <button class="primary" id="first" @click=${()=>this.visitor.prepare(r,t)}>${T(`phone`)} ${e(`acceptInvitation`)}</button>
        <button @click=${()=>this.visitor.dismiss()}>${e(`noThanks`)}</button>
      </div>
    `}waiting(t){let{stage:r,place:i,isOnline:a}=this.visitor;return u`
      <div class="who"><span class="face ringing">${T(`phone`,26)}</span>
        <div>
          <p class="title" role="status">${t}</p>
          ${r===`queued`?u`<p class="place" role="status">${e(`yourPlace`)} <strong>${i}</strong></p>`:n}
          ${a?n:u`<p class="small error">${e(`lostSignaling`)}</p>`}
        </div></div>
      <button class="danger" id="first" @click=${()=>this.visitor.hangUp()}>${T(`hangUp`)} ${e(`cancel`)}</button>
    `}inCall(){let{conversation:t,stage:r,isOnline:i}=this.visitor;return u`
      <p class="unseen" role="status">${e(r===`connected`?`connected`:`reconnecting`)}</p>
      <visavis-call id="first" tabindex="-1" .conversation=${t} heading=${t.otherName||e(`agent`)}
        ?isReconnecting=${r===`reconnecting`} ?isOnline=${i} @hang-up=${()=>this.visitor.hangUp()}>
        ${this.join?n:u`<span slot="controls">${this.shrinker()}</span>`}</visavis-call>
    `}ended(){let{notice:t,reason:r,hasLeftMessage:i,availability:a,unsent:o}=this.visitor,s=[`missed`,`declined`,`unattended`].includes(r),c=(s||o)&&!i;return u`
      <div class="head"><p class="title" id="first" tabindex="-1" role="status">${t}</p>
        ${this.join?n:u`<button class="round" aria-label=${e(`close`)} title=${e(`close`)} @click=${()=>this.visitor.dismiss()}>${T(`close`,18)}</button>`}</div>
      ${c?u`<p class="quiet">${e(s?`leaveMessage`:`unsentHelp`)}</p><visavis-message .visitor=${this.visitor}></visavis-message>`:n}
      ${a.isEnabled&&!c&&!this.join?this.choices():n}
    `}focusFirst(){let e=this.renderRoot.querySelector(`visavis-check`);e?e.updateComplete.then(()=>e.renderRoot.querySelector(`#title`)?.focus()):this.renderRoot.querySelector(this.isSmall?`#restore`:`#first, #video`)?.focus()}open(){this.isOpen=!0,p(this.site,!1)}shrink(){this.stage===`ended`&&this.visitor.dismiss(),this.isOpen=!1,p(this.site,!0)}openByHand(){this.open(),this.focusNext=!0}minimizeByHand(){this.minimize(),this.focusNext=!0}restoreByHand(){this.isSmall=!1,this.focusNext=!0}onKey(e){e.key===`Escape`&&this.stage===`checking`&&this.visitor.hangUp()}};c([s()],Q.prototype,`origin`,void 0),c([s()],Q.prototype,`site`,void 0),c([s()],Q.prototype,`join`,void 0),c([s({reflect:!0,attribute:`data-state`})],Q.prototype,`stage`,void 0),c([t()],Q.prototype,`isOpen`,void 0),c([t()],Q.prototype,`isHidden`,void 0),c([t()],Q.prototype,`isSmall`,void 0),Q=c([o(`visavis-widget`)],Q);var $=class extends r{constructor(...e){super(...e),this.isValid=!0,this.stage=`before`,this.isDone=!1,this.token=location.pathname.split(`/`).pop()??``}static{this.styles=[i,k]}connectedCallback(){super.connectedCallback(),this.ask()}render(){return this.isValid?u`<visavis-header alone></visavis-header><main>
        <h1>${a(this.stage===`ended`?`joinEnded`:`joinTitle`)}</h1>
        ${this.stage===`inCall`?n:u`<p class="quiet">${a(this.stage===`ended`?`joinEndedHelp`:`joinHelp`)}</p>`}
        <div ?hidden=${this.isDone}>
          <visavis-widget join=${this.token} @connected=${()=>this.stage=`inCall`} @ended=${this.end}></visavis-widget>
        </div>
      </main>`:u`<visavis-header alone></visavis-header><main><section class="card"><h1>${a(`joinOver`)}</h1><p class="quiet" role="alert">${a(`joinOverHelp`)}</p></section></main>`}end({detail:e}){let t=this.renderRoot.querySelector(`visavis-widget`);this.stage=`ended`,this.isDone=e.reason===`hungUp`&&!t?.visitor?.unsent}firstUpdated(){let e=this.renderRoot.querySelector(`visavis-widget`);Object.assign(window,{visavis:{get peerConnection(){return e?.peerConnection}}})}async ask(){let e=await fetch(location.href,{method:`HEAD`}).catch(()=>void 0);this.isValid=e?.status!==404}};c([t()],$.prototype,`isValid`,void 0),c([t()],$.prototype,`stage`,void 0),c([t()],$.prototype,`isDone`,void 0),$=c([o(`visavis-join`)],$);