/* empty css    */import{a as e,c as t,d as n,i as r,l as i,n as a,o,p as s,r as c,s as l,t as u}from"./decorate.js";import{n as d,r as f,t as p}from"./signaling.js";import{n as m,t as h}from"./session.js";var g=2e3,_=class{constructor(){this.timer=0}ring(e){e!==this.timer>0&&(clearInterval(this.timer),this.timer=e?window.setInterval(()=>this.chime(),g):0,e&&this.chime())}chime(){this.audio??=new AudioContext,[660,880].forEach((e,t)=>this.tone(this.audio,e,t*.25))}tone(e,t,n){let[r,i]=[e.createOscillator(),e.createGain()],a=e.currentTime+n;r.frequency.value=t,i.gain.setValueAtTime(0,a),i.gain.linearRampToValueAtTime(.15,a+.03),i.gain.exponentialRampToValueAtTime(.001,a+.5),r.connect(i).connect(e.destination),r.start(a),r.stop(a+.5)}},v=class extends t{constructor(...e){super(...e),this.stage=`idle`,this.agentName=``,this.mayAccept=!0,this.isOpen=!1,this.isEnabled=!1,this.rings=[],this.notice=``,this.since=0,this.ringer=new _}static{this.styles=[a,s`
      header { display: flex; flex-wrap: wrap; gap: 0.5rem 1.5rem; align-items: center; padding: 0.75rem 1.25rem; border-bottom: 1px solid var(--line); background: var(--card); }
      header strong { margin-right: auto; }
      a { color: var(--accent); }
      main { max-width: 52rem; margin: 0 auto; padding: 1.5rem 1.25rem; display: grid; gap: 1.25rem; }
      ul { list-style: none; margin: 0; padding: 0; display: grid; gap: 0.75rem; }
      li { display: flex; flex-wrap: wrap; gap: 0.5rem; align-items: center; }
      .notes { margin: 0.75rem 0 0; }
      li span.who { margin-right: auto; font-weight: 600; }
    `]}async connectedCallback(){super.connectedCallback(),Object.assign(window,{visavisConsole:this}),addEventListener(`beforeunload`,e=>this.current&&e.preventDefault()),await h();let e=d(location.origin,`/signaling/agent`);this.signaling=new p(e,e=>void this.hear(e),e=>this.onOpen(e))}get peerConnection(){return this.peer?.connection}render(){return n`
      <header>
        <strong>Visavis · ${r(`console`)}</strong>
        <span class="quiet">${this.agentName}</span>
        <a href="/library">${r(`library`)}</a>
        <button @click=${m}>${r(`signOut`)}</button>
      </header>
      <main>
        <p role="status" class=${this.isOpen?`quiet`:`error`}>${this.status()}</p>
        ${this.notice?n`<p role="alert">${this.notice}</p>`:i}
        ${this.current?this.call(this.current):this.waiting()}
      </main>
    `}status(){return this.isOpen?this.mayAccept?r(this.isEnabled?`online`:`disabled`):r(`mayNot`):r(`lostSignaling`)}call(e){let t=e.isRecorded?n`<span class="badge">${r(`recorded`)}</span>`:i;return n`<section class="card" aria-label=${r(`connected`)}>
      ${this.stage===`connected`?n`<visavis-call .peer=${this.peer} .since=${this.since} heading=${y(e)} @hang-up=${this.hangUp}></visavis-call>`:n`<p role="status">${r(`connecting`)}</p>
            <button class="danger" @click=${this.hangUp}>${r(`hangUp`)}</button>`}
      <p class="notes">${t}</p>
    </section>`}waiting(){return n`<section class="card" aria-live="assertive">
      <h1>${r(`waitingCalls`)}</h1>
      ${this.rings.length===0?n`<p class="quiet">${r(`noCalls`)}</p>`:i}
      <ul>
        ${this.rings.map(e=>n`<li>
            <span class="who">${y(e)} · ${r(e.media===`video`?`videoCall`:`audioCall`)}</span>
            <button class="primary" data-accept @click=${()=>this.accept(e)}>${r(`accept`)}</button>
            <button @click=${()=>this.decline(e)}>${r(`decline`)}</button>
          </li>`)}
      </ul>
    </section>`}async accept(e){this.notice=``,this.current=e,this.stage=`connecting`;try{this.peer=await f.open(e.media),this.signaling?.send({type:`accept`,callId:e.callId})}catch(e){this.finish(e.message)}}decline(e){this.signaling?.send({type:`decline`,callId:e.callId})}hangUp(){this.current&&this.signaling?.send({type:`hangUp`,callId:this.current.callId}),this.finish(``)}async hear(e){switch(e.type){case`welcome`:this.agentName=e.agentName,this.mayAccept=e.mayAcceptCalls;break;case`availability`:this.isEnabled=e.isEnabled;break;case`ring`:this.setRings([...this.rings.filter(t=>t.callId!==e.callId),e]);break;case`ringStopped`:this.setRings(this.rings.filter(t=>t.callId!==e.callId));break;case`offer`:await this.answer(e.callId,e.sdp);break;case`callState`:e.state===`connected`&&this.peer&&(this.since=Date.now(),this.stage=`connected`);break;case`ended`:e.callId===this.current?.callId&&this.finish(c(e.reason));break;case`refused`:e.callId&&e.callId!==this.current?.callId||this.finish(e.message)}}async answer(e,t){this.peer&&e===this.current?.callId&&this.signaling?.send({type:`answer`,callId:e,link:1,sdp:await this.peer.answer(t)})}onOpen(e){this.isOpen=e,e||(this.setRings([]),this.current&&this.finish(r(`ended.failed`)))}setRings(e){this.rings=e,this.ringer.ring(e.length>0&&!this.current),document.title=e[0]?`☎ ${r(`callFrom`)} ${y(e[0])}`:`${r(`console`)} · Visavis`}finish(e){this.peer?.close(),this.peer=void 0,this.current=void 0,this.stage=`idle`,this.notice=e,this.setRings(this.rings)}};u([o({reflect:!0,attribute:`data-state`})],v.prototype,`stage`,void 0),u([e()],v.prototype,`agentName`,void 0),u([e()],v.prototype,`mayAccept`,void 0),u([e()],v.prototype,`isOpen`,void 0),u([e()],v.prototype,`isEnabled`,void 0),u([e()],v.prototype,`rings`,void 0),u([e()],v.prototype,`current`,void 0),u([e()],v.prototype,`notice`,void 0),v=u([l(`visavis-console`)],v);var y=e=>e.visitorName||r(`aVisitor`);