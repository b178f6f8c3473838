/* empty css             */import{_ as e,a as t,c as n,d as r,f as i,l as a,m as o,n as s,o as c,s as l,t as u,u as d}from"./decorate-m4V3L7gx.js";import{a as f,c as p,d as m,f as h,i as g,l as _,n as v,o as y,p as b,r as x,s as S,t as C,u as w}from"./signaling-D2LmzCdb.js";import{i as T,t as E}from"./format-DdnngG-R.js";import{t as D}from"./icons-Cs5INo8P.js";var O=e`
  main { max-width: 736px; margin: 0 auto; padding: clamp(24px, 8vh, 80px) 20px; }
  .card { padding: 32px; }
`,ee=100,k=class{constructor(e,t){this.audio=new AudioContext,this.analyser=this.audio.createAnalyser(),this.samples=new Float32Array(1024),this.analyser.fftSize=1024,this.audio.createMediaStreamSource(new MediaStream([e])).connect(this.analyser),this.timer=window.setInterval(()=>t(this.measure()),ee)}close(){clearInterval(this.timer),this.audio.close()}measure(){this.analyser.getFloatTimeDomainData(this.samples);let e=this.samples.reduce((e,t)=>e+t*t,0)/this.samples.length,t=10*Math.log10(e||1e-12);return Math.min(1,Math.max(0,1+t/60))}},A=.25,j=6e3,M={listening:[`sayHello`,`quiet`],heard:[`microphoneWorks`,`good`],silent:[`microphoneSilent`,`warn`]},N={good:`good`,warn:`warning`,quiet:`sound`},P=class extends r{constructor(...e){super(...e),this.loudness=0,this.hearing=`listening`,this.silence=0,this.watch=new b(this,()=>this.visitor),this.watchOwn=new b(this,()=>this.visitor.own)}static{this.styles=[s,e`
      :host { display: grid; gap: 14.4px; }
      .picture { position: relative; aspect-ratio: 16 / 9; width: 100%; max-height: max(96px, 40dvh); border-radius: 12px; overflow: hidden; background: #0c1013; color: #e8ecef; display: grid; place-items: center; }
      .picture.voice { aspect-ratio: 5 / 1; }
      video { width: 100%; height: 100%; object-fit: cover; transform: scaleX(-1); display: block; }
      .picture p { margin: 0; padding: 16px; text-align: center; }
      .level { position: absolute; inset: auto 12px 12px; display: flex; gap: 8px; align-items: center; padding: 5.6px 9.6px; border-radius: 999px; background: #0009; }
      .voice .level { position: static; width: calc(100% - 24px); background: none; }
      .level span { flex: 1; height: 6px; border-radius: 3px; background: #fff3; overflow: hidden; }
      .level i { display: block; height: 100%; background: #5fd0bd; transform-origin: left; border-radius: 3px; transition: transform 0.1s linear; }
      ul { list-style: none; margin: 0; padding: 0; display: grid; gap: 6.4px; font-size: 14.4px; }
      form { display: grid; gap: 14.4px; }
      .pair { display: grid; gap: 12px; }
      .bar { display: flex; gap: 8px; flex-wrap: wrap; }
      form .bar { position: sticky; bottom: -20px; padding: 8px 0 20px; margin-bottom: -20px; background: var(--card); }
      .bar .primary { flex: 1; }
      summary { cursor: pointer; color: var(--accent); font-size: 14.4px; border-radius: 6px; width: fit-content; }
      details[open] summary { margin-bottom: 12px; }
      h2, form p { margin: 0; }
    `]}disconnectedCallback(){super.disconnectedCallback(),this.stopListening()}updated(){let e=this.visitor.own?.microphone;e!==this.listened&&(this.stopListening(),this.listened=e,e&&(this.hearing=`listening`,this.level=new k(e,e=>this.hear(e)),this.silence=window.setTimeout(()=>this.hearing=this.hearing===`listening`?`silent`:this.hearing,j)))}render(){let{own:e,media:t}=this.visitor;return o`
      <h2 id="title" tabindex="-1">${l(t===`video`?`videoCall`:`audioCall`)}</h2>
      ${e?this.picture():this.asking()}
      ${e?o`<ul aria-live="polite">${this.findings()}</ul><details><summary>${l(`chooseDevices`)}</summary><visavis-devices .own=${e}></visavis-devices></details>`:i}
      ${this.form()}
    `}asking(){let{notice:e,media:t}=this.visitor;return e?o`<p class="line error" role="alert">${D(`warning`)} ${e}</p>
      <div class="bar">
        <button @click=${()=>this.visitor.openMedia(t)}>${l(`tryAgain`)}</button>
        ${t===`video`?o`<button @click=${()=>this.visitor.openMedia(`audio`)}>${l(`microphoneOnly`)}</button>`:i}
      </div>`:o`<div class="picture"><p role="status">${l(t===`video`?`askingMedia`:`askingMicrophone`)}</p></div>`}picture(){let e=this.visitor.own,t=Math.round(this.loudness*100);return o`<div class="picture ${e.camera?``:`voice`}">
      ${e.camera?o`<video autoplay playsinline muted aria-label=${l(`yourPicture`)} .srcObject=${e.stream}></video>`:i}
      <div class="level" role="meter" aria-label=${l(`microphoneLevel`)} aria-valuenow=${t} aria-valuemin="0" aria-valuemax="100">
        ${D(`microphone`,16)}<span><i .style=${`transform: scaleX(${this.loudness})`}></i></span>
      </div>
    </div>`}findings(){let e=this.visitor.own,[t,n]=M[this.hearing];return[F(l(t),n),e.trouble?F(e.trouble,`warn`):e.camera?F(l(`cameraWorks`),`good`):i,this.path()]}path(){let{path:e}=this.visitor;if(e===`looking`||e===void 0)return F(l(`pathLooking`),`quiet`);if(e===`unknown`)return F(l(`pathUnknown`),`quiet`);if(e===`blocked`)return F(l(`pathBlocked`),`warn`);let t=e.roundTrip===void 0?``:` (${e.roundTrip} ms)`;return F(l(e.protocol===`udp`?`pathFree`:`pathByTcp`)+t,`good`)}form(){let{visitor:e}=this,{isRecorded:t}=e.availability;return o`<form @submit=${this.submit}>
      <div class="pair">
        <label class="field">${l(`yourName`)}<input name="name" maxlength="200" autocomplete="name" .value=${e.name} /></label>
        <label class="field">${l(`yourEmail`)}<input name="email" type="email" maxlength="200" autocomplete="email" .value=${e.email} /></label>
      </div>
      ${e.needsAgreement?o`<label class="tick"><input type="checkbox" name="agreed" required /><span>${l(`agreement`)}</span></label>`:t?o`<p class="line small">${D(`record`,18)} ${l(`recordedNotice`)}</p>`:i}
      <div class="bar">
        <button class="primary" ?disabled=${!e.own||!e.isOnline}>${D(`phone`)} ${l(`callNow`)}</button>
        <button type="button" @click=${()=>e.hangUp()}>${l(`back`)}</button>
      </div>
      ${e.isOnline?i:o`<p class="error small" role="alert">${l(`lostSignaling`)}</p>`}
    </form>`}submit(e){e.preventDefault();let t=new FormData(e.target);this.visitor.identify(T(t,`name`),T(t,`email`)),this.visitor.call(t.has(`agreed`))}hear(e){this.loudness=e,e>A&&(this.hearing=`heard`)}stopListening(){clearTimeout(this.silence),this.level?.close(),this.level=this.listened=void 0}};u([a({attribute:!1})],P.prototype,`visitor`,void 0),u([n()],P.prototype,`loudness`,void 0),u([n()],P.prototype,`hearing`,void 0),P=u([d(`visavis-check`)],P);var F=(e,t)=>o`<li class="line ${t}">${D(N[t],18)} <span>${e}</span></li>`,I=class extends r{static{this.styles=[s,e`
      form { display: grid; gap: 12px; }
      .pair { display: grid; gap: 12px; grid-template-columns: 1fr 1fr; }
      textarea { min-height: 96px; resize: vertical; }
      .bar { display: flex; gap: 8px; flex-wrap: wrap; }
      .bar .primary { flex: 1; }
      @media (max-width: 352px) { .pair { grid-template-columns: 1fr; } }
    `]}render(){let{name:e,email:t}=this.visitor;return o`<form @submit=${this.submit}>
      <div class="pair">
        <label class="field">${l(`yourName`)}<input name="name" maxlength="200" autocomplete="name" .value=${e} /></label>
        <label class="field">${l(`yourEmail`)}<input name="email" type="email" maxlength="200" autocomplete="email" .value=${t} /></label>
      </div>
      <label class="field">${l(`yourMessage`)}<textarea name="text" maxlength="4000" required></textarea></label>
      <div class="bar">
        <button class="primary">${l(`sendMessage`)}</button>
        <button type="button" @click=${()=>this.visitor.dismiss()}>${l(`close`)}</button>
      </div>
    </form>`}submit(e){e.preventDefault();let t=new FormData(e.target),n=T(t,`text`);n&&(this.visitor.identify(T(t,`name`),T(t,`email`)),this.visitor.leaveMessage(n))}};u([a({attribute:!1})],I.prototype,`visitor`,void 0),I=u([d(`visavis-message`)],I);var L=8e3,R=async(e,t,n)=>{let r=new RTCPeerConnection({bundlePolicy:`max-bundle`,rtcpMuxPolicy:`require`,iceServers:t}),i=new Promise(e=>n.addEventListener(`abort`,()=>e(void 0)));try{r.addTransceiver(`audio`,{direction:`inactive`}),await r.setLocalDescription();let t=await Promise.race([e(r.localDescription.sdp),z(L,``),i]);if(!t)return`unknown`;await r.setRemoteDescription({type:`answer`,sdp:t});let n=await Promise.race([B(r),z(L,!1),i]);return n===void 0?`unknown`:n?await V(r):`blocked`}finally{r.close()}},z=(e,t)=>new Promise(n=>setTimeout(()=>n(t),e)),B=e=>new Promise(t=>{e.onconnectionstatechange=()=>{e.connectionState===`connected`&&t(!0),e.connectionState===`failed`&&t(!1)}}),V=async e=>{let t=[...(await e.getStats()).values()],n=t.find(e=>e.type===`transport`),r=t.find(e=>e.id===n?.selectedCandidatePairId||e.type===`candidate-pair`&&e.selected),i=t.find(e=>e.id===r?.localCandidateId),a=r?.currentRoundTripTime;return{protocol:i?.relayProtocol??i?.protocol??`udp`,roundTrip:a===void 0?void 0:Math.round(a*1e3)}},H=(e,t)=>e==null?``:[...String(e)].slice(0,t).join(``),U=30,W=200,G=[`connecting`,`connected`,`reconnecting`],K={queued:`queued`,ringing:`calling`,accepted:`connecting`,connecting:`connecting`,connected:`connected`,reconnecting:`reconnecting`},q=class extends h{constructor(e,t,n){super(),this.memoryKey=t,this.tell=n,this.stage=`idle`,this.availability={type:`availability`,isEnabled:!1,isRecorded:!1,needsAgreement:!1},this.media=`video`,this.notice=``,this.reason=``,this.place=0,this.isOnline=!1,this.isRecorded=!1,this.hasLeftMessage=!1,this.name=``,this.email=``,this.lastCallId=``,this.resumeSeconds=U,this.iceServers=[],this.patience=0,this.hasHeard=!1,this.acquisition=new AbortController,this.check=new AbortController,this.onPageHide=()=>this.remember(),this.signaling=new C(e,e=>this.hear(e),e=>this.onOpen(e),()=>!!this.conversation),addEventListener(`pagehide`,this.onPageHide),this.outgoing=p(t);let r=w(()=>sessionStorage,t);r&&this.takeUp(r)}get isInCall(){return G.includes(this.stage)}get needsAgreement(){return this.availability.isRecorded&&this.availability.needsAgreement}close(){removeEventListener(`pagehide`,this.onPageHide),this.leave(),this.signaling.close()}async prepare(e,t){if(this.stage===`idle`||this.stage===`ended`){if(!this.hasHeard)this.wanted=e;else{if(!this.availability.isEnabled)return this.finish(l(`switchedOff`),`disabled`);Object.assign(this,{media:e,invitation:t,notice:``,stage:`checking`,hasLeftMessage:!1}),this.path=void 0,this.findPath(),await this.openMedia(e)}}}async openMedia(e){this.media=e,this.notice=``,this.releaseDevices();let{signal:t}=this.acquisition;this.changed();try{this.own=await g.open(e,t)}catch(e){if(t.aborted)return;this.notice=e.message}this.changed()}async call(e){let{own:t,media:n,name:r,email:i,invitation:a}=this;if(!t||!this.isOnline||this.stage!==`checking`)return;let o=this.begin(t);this.check.abort(),this.stage=`calling`,this.isRecorded=this.availability.isRecorded,this.changed();let{sdp:s}=await o.offer(1,n===`video`);if(this.conversation!==o)return;let{invitation:c=``}=a??{};this.signaling.send({type:`call`,media:n,offer:s,name:r,email:i,agreed:e,invitation:c}),this.invitation=void 0}hangUp(){this.resuming&&this.forsake(this.resuming);let e=this.conversation?.callId;if(!e)return this.finish(``,``);this.signaling.isOpen?this.signaling.send({type:`hangUp`,callId:e}):this.forsaken={callId:e,secret:this.conversation.secret};let t=this.isInCall;this.finish(l(t?`ended.hungUp`:`ended.cancelled`),t?`hungUp`:`cancelled`)}leaveMessage(e){let{lastCallId:t,name:n,email:r}=this;this.outgoing={callId:t,text:e,name:n,email:r,at:Date.now()},S(this.memoryKey,this.outgoing),this.hasLeftMessage=!0,this.notice=l(`messageSending`),this.sendMessage(),this.changed()}sendMessage(){if(!this.outgoing)return;let{callId:e,text:t,name:n,email:r}=this.outgoing;this.signaling.send({type:`leaveMessage`,callId:e,text:t,name:n,email:r})}messageSettled(e,t){this.outgoing=void 0,S(this.memoryKey,void 0),this.hasLeftMessage=t,!this.conversation&&this.stage!==`checking`&&Object.assign(this,{notice:e,stage:`ended`})}dismiss(){this.leave(),Object.assign(this,{stage:`idle`,notice:``,reason:``,invitation:void 0}),this.changed()}identify(e,t){Object.assign(this,{name:e,email:t}),this.announcePage(),this.changed()}begin(e){let t=new m(`visitor`,e,{send:e=>this.signaling.send(e),isOpen:()=>this.signaling.isOpen,iceServers:()=>this.iceServers});return t.addEventListener(`change`,()=>this.changed()),this.conversation=t,t}hear(e){switch(e.type){case`availability`:this.available(e);break;case`iceServers`:this.iceServers=e.servers;break;case`invited`:(this.stage===`idle`||this.stage===`ended`)&&this.invited(e);break;case`calling`:this.placed(e);break;case`queued`:this.queued(e.callId,e.place);break;case`connect`:this.connect(e.callId,e.link);break;case`messageKept`:e.callId===this.outgoing?.callId&&this.messageSettled(l(`messageLeft`),!0);break;case`probed`:this.answerPath?.(e.sdp);break;case`ended`:e.callId===this.conversation?.callId&&this.finish(c(e.reason),e.reason,e.by);break;case`refused`:this.refused(e);break;default:e.callId===this.conversation?.callId&&this.hearOfCall(e)}this.changed()}available(e){this.availability=e,this.hasHeard=!0,this.tell(`available`,{isEnabled:e.isEnabled}),this.wanted&&this.prepare(this.wanted),this.wanted=void 0}hearOfCall(e){this.conversation?.hear(e),e.type===`recording`&&(this.isRecorded=e.state!==`off`),e.type===`callState`&&this.reach(K[e.state]??this.stage)}placed({callId:e,isRecorded:t,secret:n,resumeSeconds:r}){if(!this.conversation)return this.signaling.send({type:`hangUp`,callId:e});Object.assign(this.conversation,{callId:e,secret:n}),Object.assign(this,{isRecorded:t,resumeSeconds:r}),this.tell(`ringing`,{callId:e})}queued(e,t){e===this.conversation?.callId&&(this.place=t,this.stage=`queued`,this.tell(`queued`,{callId:e,place:t}))}invited(e){Object.assign(this,{invitation:e,stage:`idle`,notice:``}),this.tell(`invited`,{agentName:e.agentName,media:e.media})}async connect(e,t){let n=this.conversation;if(e!==n?.callId)return;let{sdp:r,screenMid:i}=await n.offer(t,this.media===`video`||!!n.own.camera);this.signaling.send({type:`offer`,callId:e,link:t,sdp:r,screenMid:i})}refused({error:e,message:t,callId:n,id:r}){let i=this.conversation;if(this.outgoing&&n===this.outgoing.callId)return this.messageSettled(t,!1);if(i){if(r&&i.refuse(r)&&!x.includes(e))i.own.trouble=t;else{if(!i.callId)return this.finish(t,`failed`);if(n===i.callId&&x.includes(e))return this.finish(l(this.stage===`connected`?`ended.hungUp`:`ended.failed`),`failed`);i.own.trouble=t}}}reach(e){if(e===this.stage)return;this.stage=e;let{callId:t,otherName:n}=this.conversation;(e===`connecting`||e===`connected`||e===`reconnecting`)&&this.tell(e,{callId:t,agentName:n})}onOpen(e){this.isOnline=e,clearTimeout(this.patience),e?this.greet():this.conversation&&(this.patience=window.setTimeout(()=>this.giveUp(),this.resumeSeconds*1e3)),this.changed()}forsake(e){this.forsaken=e,this.signaling.isOpen&&this.greetForsaken()}greetForsaken(){let{forsaken:e}=this;e&&(this.signaling.send({type:`resume`,...e,hasMedia:!0}),this.signaling.send({type:`hangUp`,callId:e.callId}),this.forsaken=void 0)}greet(){this.announcePage(),this.greetForsaken(),this.sendMessage();let{conversation:e}=this;if(!e)return;if(!e.callId)return this.finish(l(`ended.failed`),`failed`);let{callId:t,secret:n,hasMedia:r}=e;this.signaling.send({type:`resume`,callId:t,secret:n,hasMedia:r||!this.isInCall}),e.sendPending()}giveUp(){this.finish(l(`ended.failed`),`failed`)}announcePage(){let e=H(document.title||location.pathname,W);this.signaling.send({type:`here`,page:e,name:this.name,email:this.email})}async takeUp(e){let{callId:t,secret:n,media:r,since:i,otherName:a,lines:o,pending:s}=e;Object.assign(this,{stage:`reconnecting`,media:r,resumeSeconds:e.resumeSeconds}),this.resuming={callId:t,secret:n},this.releaseDevices();let{signal:c}=this.acquisition;this.changed();try{let r=await g.open(e.hasCamera?`video`:`audio`,c);this.resuming=void 0,this.own=r,r.setMuted(e.isMuted);let l=this.begin(r);Object.assign(l,{callId:t,secret:n,since:i,otherName:a,lines:o,pending:s}),this.signaling.isOpen&&(this.signaling.send({type:`resume`,callId:t,secret:n,hasMedia:!1}),l.sendPending())}catch(e){if(c.aborted)return;this.forsake({callId:t,secret:n}),this.finish(e.message,`failed`)}this.changed()}remember(){let{conversation:e,media:t,resumeSeconds:n,memoryKey:r}=this;if(!e?.callId)return;let{callId:i,secret:a,since:o,otherName:s,lines:c,pending:l,details:u,own:d}=e,f={isMuted:d.isMuted,hasCamera:!!d.camera,leftAt:Date.now()};y(()=>sessionStorage,r,{callId:i,secret:a,media:t,since:o,otherName:s,lines:c,pending:l,details:u,resumeSeconds:n,...f})}async findPath(){let e=e=>(this.signaling.send({type:`probe`,offer:e}),new Promise(e=>this.answerPath=e));this.path=`looking`,this.check=new AbortController;let{signal:t}=this.check,n=await R(e,this.iceServers,t);t.aborted||(this.path=n,this.answerPath=void 0,this.changed())}releaseDevices(){this.acquisition.abort(),this.acquisition=new AbortController,this.own?.close(),this.own=void 0}leave(){clearTimeout(this.patience),this.check.abort(),this.conversation?.close(),this.conversation=this.resuming=void 0,this.releaseDevices()}finish(e,t,n=`visitor`){let r=this.conversation?.callId??``,i=!!this.conversation;this.leave(),this.lastCallId=r||this.lastCallId,Object.assign(this,{notice:e,reason:t,stage:e?`ended`:`idle`,place:0,invitation:void 0}),this.changed(),i&&this.tell(`ended`,{callId:r,reason:t,by:n})}},J=e`
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
`,Y={calling:`calling`,queued:`queuedHelp`,connecting:`connecting`},X=`(max-width: 480px), (max-height: 480px)`,Z=[`keydown`,`keypress`,`keyup`],Q=class extends r{constructor(...e){super(...e),this.origin=location.origin,this.site=`1`,this.join=``,this.stage=`idle`,this.isOpen=!0,this.isHidden=!1,this.isSmall=!1,this.keepInside=e=>e.stopPropagation(),this.hadFocus=!1,this.focusNext=!1,this.watch=new b(this,()=>this.visitor)}static{this.styles=[s,J]}connectedCallback(){super.connectedCallback();for(let e of Z)this.addEventListener(e,this.keepInside);if(this.visitor)return this.requestUpdate();let e=this.join?`join=${encodeURIComponent(this.join)}`:`site=${encodeURIComponent(this.site)}`,t=(e,t)=>this.dispatchEvent(new CustomEvent(e,{detail:t}));this.visitor=new q(v(this.origin,`/signaling/visitor?${e}`),`visavis.call.${e}`,t),this.join||(this.isOpen=!matchMedia(X).matches&&!f(this.site))}disconnectedCallback(){super.disconnectedCallback();for(let e of Z)this.removeEventListener(e,this.keepInside)}place(e=`right`,t=``){this.toggleAttribute(`left`,e===`left`);let[n,r=n]=t.split(`,`).map(e=>Number.parseFloat(e));n!==void 0&&n>=0&&this.style.setProperty(`--offset-x`,`${n}px`),r!==void 0&&r>=0&&this.style.setProperty(`--offset-y`,`${r}px`)}call(e){return this.visitor.prepare(e)}show(){Object.assign(this,{isHidden:!1,isSmall:!1}),this.open()}hide(){this.isHidden=!0}minimize(){this.stage===`idle`||this.stage===`ended`?this.shrink():this.isSmall=!0}destroy(){this.visitor?.hangUp(),this.visitor?.close(),this.remove()}get peerConnection(){return this.visitor?.conversation?.link?.connection}willUpdate(){this.hadFocus=this.shadowRoot?.activeElement!==null,this.stage=this.visitor.stage;let{invitation:e}=this.visitor;(e||this.stage!==`idle`&&this.stage!==`ended`)&&(this.isHidden=!1),(this.stage===`idle`||this.stage===`ended`)&&(this.isSmall=!1)}updated(e){this.focusNext&&this.focusFirst(),this.focusNext=!1;let t=e.get(`stage`);e.has(`stage`)&&t!==void 0&&(this.hadFocus||this.stage===`checking`)&&this.focusFirst()}render(){let{stage:e,availability:t,invitation:n}=this.visitor;if(this.isHidden||e===`idle`&&!t.isEnabled)return i;if(e===`idle`&&!n&&!this.isOpen)return this.launcher();let r=e!==`idle`&&e!==`ended`;return o`<section class="card ${e} ${this.isSmall?`small-bar`:``}" dir="ltr" role=${r?`dialog`:`region`} aria-label=${l(`talkToUs`)} @keydown=${this.onKey}>
      ${this.isSmall?this.bar():i}
      <div class="content" ?hidden=${this.isSmall}>${n&&e===`idle`?this.invited():this.body(e)}</div>
    </section>`}body(e){switch(e){case`idle`:return this.choices();case`checking`:return o`<visavis-check .visitor=${this.visitor}></visavis-check>`;case`ended`:return this.ended();case`connected`:case`reconnecting`:return this.visitor.conversation?this.inCall():this.waiting(l(`reconnecting`));default:return this.waiting(l(Y[e]))}}launcher(){return o`<button class="primary launcher" id="first" dir="ltr" aria-label=${l(`talkToUs`)} title=${l(`talkToUs`)} aria-expanded="false" @click=${()=>this.openByHand()}>${D(`phone`,26)}</button>`}choices(){let{isRecorded:e}=this.visitor.availability;return o`
      <div class="head"><p class="title">${l(`talkToUs`)}</p>${this.stage===`idle`&&!this.join?this.shrinker():i}</div>
      <div class="buttons">
        <button class="primary" id="video" @click=${()=>this.call(`video`)}>${D(`camera`)} ${l(`videoCall`)}</button>
        <button id="audio" @click=${()=>this.call(`audio`)}>${D(`phone`)} ${l(`audioCall`)}</button>
      </div>
      ${e?o`<p class="quiet small">${l(`recordedNotice`)}</p>`:i}
    `}shrinker(){return o`<button class="round" id="minimize" aria-label=${l(`makeSmall`)} title=${l(`makeSmall`)} @click=${()=>this.minimizeByHand()}>${D(`minimize`,18)}</button>`}bar(){let{conversation:e,stage:t,isInCall:n}=this.visitor,r=e?.since??0,a=t===`connected`||t===`reconnecting`?e?.otherName||l(`agent`):l(Y[t]??`calling`);return o`<div class="line-bar">
      <p class="name" role="status">${t===`reconnecting`?l(`reconnecting`):a}</p>
      ${r?o`<span class="time">${E((Date.now()-r)/1e3)}</span>`:i}
      <button class="round" id="restore" aria-label=${l(`openCall`)} title=${l(`openCall`)} @click=${()=>this.restoreByHand()}>${D(`enlarge`,18)}</button>
      <button class="round danger" aria-label=${l(n?`hangUp`:`cancel`)} title=${l(n?`hangUp`:`cancel`)} @click=${()=>this.visitor.hangUp()}>${D(`hangUp`)}</button>
    </div>`}invited(){let e=this.visitor.invitation,{agentName:t,media:n}=e;return o`
      <div class="who"><span class="face">${D(`person`,26)}</span>
        <p role="alert"><strong>${t||l(`agent`)}</strong> ${l(n===`video`?`invitesVideo`:`invitesAudio`)}</p></div>
      <div class="buttons">
        <button class="primary" id="first" @click=${()=>this.visitor.prepare(n,e)}>${D(`phone`)} ${l(`acceptInvitation`)}</button>
        <button @click=${()=>this.visitor.dismiss()}>${l(`noThanks`)}</button>
      </div>
    `}waiting(e){let{stage:t,place:n,isOnline:r}=this.visitor;return o`
      <div class="who"><span class="face ringing">${D(`phone`,26)}</span>
        <div>
          <p class="title" role="status">${e}</p>
          ${t===`queued`?o`<p class="place" role="status">${l(`yourPlace`)} <strong>${n}</strong></p>`:i}
          ${r?i:o`<p class="small error">${l(`lostSignaling`)}</p>`}
        </div></div>
      <button class="danger" id="first" @click=${()=>this.visitor.hangUp()}>${D(`hangUp`)} ${l(`cancel`)}</button>
    `}inCall(){let{conversation:e,stage:t,isOnline:n}=this.visitor;return o`
      <p class="unseen" role="status">${l(t===`connected`?`connected`:`reconnecting`)}</p>
      <visavis-call id="first" tabindex="-1" .conversation=${e} heading=${e.otherName||l(`agent`)}
        ?isReconnecting=${t===`reconnecting`} ?isOnline=${n} @hang-up=${()=>this.visitor.hangUp()}>
        ${this.join?i:o`<span slot="controls">${this.shrinker()}</span>`}</visavis-call>
    `}ended(){let{notice:e,reason:t,hasLeftMessage:n,availability:r}=this.visitor,a=(t===`missed`||t===`declined`)&&!n;return o`
      <div class="head"><p class="title" id="first" tabindex="-1" role="status">${e}</p>
        <button class="round" aria-label=${l(`close`)} title=${l(`close`)} @click=${()=>this.visitor.dismiss()}>${D(`close`,18)}</button></div>
      ${a?o`<p class="quiet">${l(`leaveMessage`)}</p><visavis-message .visitor=${this.visitor}></visavis-message>`:i}
      ${r.isEnabled&&!a?this.choices():i}
    `}focusFirst(){let e=this.renderRoot.querySelector(`visavis-check`);e?e.updateComplete.then(()=>e.renderRoot.querySelector(`#title`)?.focus()):this.renderRoot.querySelector(this.isSmall?`#restore`:`#first, #video`)?.focus()}open(){this.isOpen=!0,_(this.site,!1)}shrink(){this.stage===`ended`&&this.visitor.dismiss(),this.isOpen=!1,_(this.site,!0)}openByHand(){this.open(),this.focusNext=!0}minimizeByHand(){this.minimize(),this.focusNext=!0}restoreByHand(){this.isSmall=!1,this.focusNext=!0}onKey(e){e.key===`Escape`&&this.stage===`checking`&&this.visitor.hangUp()}};u([a()],Q.prototype,`origin`,void 0),u([a()],Q.prototype,`site`,void 0),u([a()],Q.prototype,`join`,void 0),u([a({reflect:!0,attribute:`data-state`})],Q.prototype,`stage`,void 0),u([n()],Q.prototype,`isOpen`,void 0),u([n()],Q.prototype,`isHidden`,void 0),u([n()],Q.prototype,`isSmall`,void 0),Q=u([d(`visavis-widget`)],Q);var $=class extends r{constructor(...e){super(...e),this.isValid=!0,this.token=location.pathname.split(`/`).pop()??``}static{this.styles=[s,O]}connectedCallback(){super.connectedCallback(),this.ask()}render(){return this.isValid?o`<main><h1>${t(`joinTitle`)}</h1><p class="quiet">${t(`joinHelp`)}</p>
      <visavis-widget join=${this.token}></visavis-widget></main>`:o`<main><section class="card"><h1>${t(`joinOver`)}</h1><p class="quiet" role="alert">${t(`joinOverHelp`)}</p></section></main>`}firstUpdated(){let e=this.renderRoot.querySelector(`visavis-widget`);Object.assign(window,{visavis:{get peerConnection(){return e?.peerConnection}}})}async ask(){let e=await fetch(location.href,{method:`HEAD`});this.isValid=e.status!==404}};u([n()],$.prototype,`isValid`,void 0),$=u([d(`visavis-join`)],$);