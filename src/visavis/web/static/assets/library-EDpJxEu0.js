/* empty css             */import{f as e,g as t,h as n,i as r,l as i,m as a,p as o,t as s,v as c,x as l}from"./decorate-t_bKOMS2.js";import{n as u,r as d,t as f}from"./format-DdnngG-R.js";import{t as p}from"./en-errors-CP5f9I_7.js";import{t as m}from"./refusal-CBjRxXIj.js";import{n as h,t as g}from"./live-Bb6g1dGV.js";import{t as _}from"./observable-DkUD7H3Y.js";import"./page-header-Dn5XINpE.js";import{r as v}from"./session-CMND6Py3.js";var y=`/library/recordings`,b=class extends Error{},x=async(e,t=`GET`)=>{let n=await fetch(y+e,{method:t});if(n.status===204)return;let r=await n.json().catch(()=>void 0);if(!n.ok)throw new b(m(p,r??{}));return r},S=e=>x(`?${e.toString()}`),C=class{constructor(e){this.id=e,this.play=`play=${crypto.randomUUID?.()??Math.random().toString(36).slice(2)}`,this.details=()=>x(`${this.path}?${this.play}`),this.parts=async()=>(await x(`${this.path}/parts?${this.play}`)).parts,this.source=e=>`${y}${this.path}/parts/${e.name}?${this.play}`,this.composition=()=>x(`${this.path}/composed`),this.compose=()=>x(`${this.path}/composed`,`POST`),this.cancel=()=>x(`${this.path}/composed`,`DELETE`),this.hold=async e=>(await x(`${this.path}/hold`,e?`PUT`:`DELETE`)).recording,this.remove=()=>x(this.path,`DELETE`)}get path(){return`/${encodeURIComponent(this.id)}`}get original(){return`${y}${this.path}/original.mkv`}get composed(){return`${y}${this.path}/composed.mp4`}},ee=.2,w=class extends n{constructor(...e){super(...e),this.names={},this.position=0}static{this.styles=[r,l`
      :host { display: grid; gap: 1.25rem; align-content: start; }
      ol { list-style: none; margin: 0; padding: 0; display: grid; gap: 0.25rem; max-height: 22rem; overflow-y: auto; scroll-behavior: smooth; }
      li > button { display: grid; grid-template-columns: 3.5rem 1fr; gap: 0.5rem; width: 100%; text-align: left; padding: 0.4rem 0.5rem; border: 0; border-radius: 8px; background: none; font-weight: 400; align-items: baseline; }
      li > button:hover { background: color-mix(in srgb, var(--accent) 8%, transparent); }
      li > button[aria-current="true"] { background: color-mix(in srgb, var(--accent) 14%, transparent); }
      time { color: var(--quiet); font-variant-numeric: tabular-nums; font-size: 0.875rem; }
      .text { overflow-wrap: anywhere; white-space: pre-wrap; }
      .text b { display: block; font-size: 0.875rem; }
      table { border-collapse: collapse; width: 100%; }
      th, td { text-align: left; padding: 0.3rem 0.5rem 0.3rem 0; border-bottom: 1px solid var(--line); font-weight: 400; }
      thead th { font-weight: 600; }
      td { font-variant-numeric: tabular-nums; }
      section:empty { display: none; }
      @media (prefers-reduced-motion: reduce) { ol { scroll-behavior: auto; } }
    `]}render(){if(!this.contents)return t;let{chapters:e,texts:n,quality:r}=this.contents;return c`
      <section class="card" aria-labelledby="texts-title">
        <h2 id="texts-title">${i(`conversation`)}</h2>
        ${n.length?c`<ol id="texts">${n.map(e=>this.text(e,n))}</ol>`:c`<p class="quiet">${i(`noTexts`)}</p>`}
      </section>
      ${e.length?c`<section class="card" aria-labelledby="chapters-title">
            <h2 id="chapters-title">${i(`chapters`)}</h2>
            <ol id="chapters">${e.map(t=>this.chapter(t,e))}</ol>
          </section>`:t}
      ${Object.keys(r).length?this.quality(r):t}
    `}text(e,t){let n=c`<span class="text"><b>${this.names[e.by]??e.by}</b>${e.data.text??``}</span>`;return this.line(e.at,this.isNow(e,t),n)}chapter(e,t){return this.line(e.at,this.isNow(e,t),c`<span class="text">${e.title}</span>`)}line(e,t,n){return c`<li><button aria-current=${t?`true`:`false`} @click=${()=>this.dispatchEvent(new CustomEvent(`seek`,{detail:e}))}><time>${f(e)}</time>${n}</button></li>`}isNow(e,t){return e===t.findLast(e=>e.at<=this.position+ee)}quality(e){let t=[`visitor`,`agent`].filter(t=>e[t]),n=(n,r)=>c`<tr><th scope="row">${i(n)}</th>${t.map(t=>c`<td>${r(e[t]??{})}</td>`)}</tr>`;return c`<section class="card" aria-labelledby="quality-title">
      <h2 id="quality-title">${i(`quality`)}</h2>
      <table>
        <thead><tr><td></td>${t.map(e=>c`<th scope="col">${i(e)}</th>`)}</tr></thead>
        <tbody>
          ${n(`heardAs`,e=>typeof e.mos==`number`?`${i(T(e.mos))} (${e.mos.toFixed(1)})`:`–`)}
          ${n(`lossSent`,e=>E(e.lossIn))} ${n(`lossReceived`,e=>E(e.lossOut))}
          ${n(`roundTrip`,e=>D(e.roundTrip))} ${n(`jitter`,e=>D(e.jitter))}
        </tbody>
      </table>
    </section>`}updated(e){if(e.has(`position`))for(let e of this.renderRoot.querySelectorAll(`ol`)){let t=e.querySelector(`[aria-current="true"]`);t&&!e.matches(`:hover, :focus-within`)&&e.dataset.now!==t.textContent&&(e.dataset.now=t.textContent??``,e.scrollTop=t.offsetTop-e.offsetTop-e.clientHeight/2)}}};s([o({attribute:!1})],w.prototype,`contents`,void 0),s([o({attribute:!1})],w.prototype,`names`,void 0),s([o({type:Number})],w.prototype,`position`,void 0),w=s([a(`visavis-details-panel`)],w);var T=e=>e>=4?`good`:e>=3.1?`fair`:`poor`,E=e=>typeof e==`number`?`${(100*e).toFixed(1)} %`:`–`,D=e=>typeof e==`number`?`${Math.round(e)} ms`:`–`,O=700,k=5e3,A=class extends n{constructor(...e){super(...e),this.mayManage=!1,this.film={state:`none`,progress:0},this.error=``,this.compose=()=>this.attempt(async()=>this.follow(await this.opened?.compose())),this.cancel=()=>this.attempt(async()=>{clearTimeout(this.timer),this.film=await this.opened?.cancel()??this.film}),this.hold=()=>this.attempt(async()=>{let e=await this.opened?.hold(!this.recording?.isHeld);this.dispatchEvent(new CustomEvent(`changed`,{detail:e}))}),this.erase=()=>this.attempt(async()=>{this.dialog.close(),await this.opened?.remove(),this.dispatchEvent(new CustomEvent(`deleted`))})}static{this.styles=[r,l`
      section { display: grid; gap: 0.9rem; }
      h2, p { margin: 0; }
      .row { display: flex; flex-wrap: wrap; gap: 0.5rem 0.75rem; align-items: center; }
      .row p { flex: 1 1 12rem; }
      a { color: var(--accent); font-weight: 600; }
      progress { width: 100%; height: 0.6rem; accent-color: var(--accent); }
      .danger-text { background: none; border-color: var(--danger); color: var(--danger); }
      dialog { border: 1px solid var(--line); border-radius: 16px; background: var(--card); color: var(--ink); max-width: min(26rem, calc(100vw - 2rem)); padding: 1.25rem; overflow-wrap: anywhere; }
      dialog p { margin-top: 0.75rem; }
      dialog::backdrop { background: rgb(0 0 0 / 0.5); }
      dialog .row { justify-content: flex-end; margin-top: 1rem; }
    `]}connectedCallback(){super.connectedCallback(),this.attempt(async()=>this.follow(await this.opened?.composition()))}disconnectedCallback(){super.disconnectedCallback(),clearTimeout(this.timer)}render(){let e=this.recording;return e?c`<section class="card" aria-labelledby="title">
      <h2 id="title">${i(`takeAlong`)}</h2>
      ${this.error?c`<p class="error" role="alert">${this.error}</p>`:t}
      <div class="row"><p class="quiet">${i(`originalHelp`)}</p><a href=${this.opened?.original??``} download>${i(`download`)} (${d(e.size)})</a></div>
      ${this.composition()}
      ${this.mayManage?this.keeping(e):e.isHeld?c`<p class="quiet">${i(`heldHelp`)}</p>`:t}
    </section>`:t}composition(){let{state:e,progress:t}=this.film;return e===`done`?c`<div class="row"><p class="quiet">${i(`composedHelp`)}</p><a id="composed" href=${this.opened?.composed??``} download>${i(`downloadComposed`)}</a></div>`:e===`none`||e===`failed`?c`<div class="row">
        <p class="quiet">${i(e===`failed`?`composeFailed`:`composeHelp`)}</p><button id="compose" @click=${this.compose}>${i(`compose`)}</button>
      </div>`:c`<div class="row">
        <p class="quiet" role="status">${e===`waiting`?i(`composeWaiting`):`${i(`composing`)} ${Math.round(100*t)} %`}</p>
        <button @click=${this.cancel}>${i(`cancel`)}</button>
      </div>
      <progress max="1" .value=${t} aria-label=${i(`composing`)}></progress>`}keeping(e){return c`
      <div class="row"><p class="quiet">${i(e.isHeld?`heldHelp`:`holdHelp`)}</p><button id="hold" @click=${this.hold}>${i(e.isHeld?`release`:`hold`)}</button></div>
      ${e.isHeld?t:c`<div class="row"><p class="quiet">${i(`deleteHelp`)}</p><button class="danger-text" id="delete" @click=${()=>this.dialog.showModal()}>${i(`delete`)}</button></div>`}
      <dialog aria-labelledby="sure" aria-describedby="sure-what">
        <h2 id="sure">${i(`deleteSure`)}</h2>
        <p id="sure-what"><strong>${e.visitorName||i(`aVisitor`)} · ${e.agentNames.join(`, `)||i(`agent`)}</strong><br />${u(e.startedAt)}, ${f(e.duration)}</p>
        <p class="quiet">${i(`deleteSureHelp`)}</p>
        <div class="row">
          <button @click=${()=>this.dialog.close()}>${i(`keep`)}</button>
          <button class="danger" id="delete-now" @click=${this.erase}>${i(`delete`)}</button>
        </div>
      </dialog>
    `}follow(e){this.film=e??this.film,this.poll(O)}poll(e){clearTimeout(this.timer),this.isConnected&&[`waiting`,`running`].includes(this.film.state)&&(this.timer=setTimeout(()=>void this.askProgress(),e))}async askProgress(){await this.attempt(async()=>this.follow(await this.opened?.composition())),this.error&&this.poll(k)}async attempt(e){try{await e(),this.error=``}catch(e){this.error=e.message||i(`loadFailed`)}}};s([o({attribute:!1})],A.prototype,`opened`,void 0),s([o({attribute:!1})],A.prototype,`recording`,void 0),s([o({type:Boolean})],A.prototype,`mayManage`,void 0),s([h(`dialog`)],A.prototype,`dialog`,void 0),s([e()],A.prototype,`film`,void 0),s([e()],A.prototype,`error`,void 0),A=s([a(`visavis-recording-actions`)],A);var j=.3,M=.012,N=3,P=.3,F=100,I=8e3,L=class extends _{constructor(...e){super(...e),this.players=[],this.duration=0,this.speed=1,this.wanted=0,this.turn=0,this.stalledAt=0,this.isPlaying=!1,this.isWaiting=!1}attach(e,t){this.release(),this.duration=t,this.players=[...e].sort((e,t)=>R(t.part)-R(e.part));for(let{element:e}of this.players)e.defaultPlaybackRate=e.playbackRate=this.speed}release(){this.pause(),this.players=[]}get position(){let[e]=this.players;return!e||!this.isPlaying||this.isWaiting?this.wanted:Math.min(this.duration,e.part.begins+e.element.currentTime)}get rate(){return this.speed}set rate(e){this.speed=e;for(let{element:t}of this.players)t.playbackRate=e;this.changed()}async play(){this.position>=this.duration-.1&&(this.wanted=0),this.isPlaying=!0,await this.begin()}pause(){this.isPlaying&&(this.wanted=this.position),this.isPlaying=this.isWaiting=!1,this.turn++,clearInterval(this.timer);for(let{element:e}of this.players)e.pause();this.changed()}async seek(e){if(this.wanted=Math.min(Math.max(0,e),this.duration),this.isPlaying)return this.begin();let t=++this.turn;this.changed(),await this.gather(t)}async begin(){let e=++this.turn;this.isWaiting=!0,this.changed(),clearInterval(this.timer);for(let{element:e}of this.players)e.pause();if(await this.gather(e),e!==this.turn)return;let t=this.players.filter(e=>this.isOn(e,this.wanted));await Promise.all(t.map(({element:e})=>e.play())),e===this.turn&&(this.isWaiting=!1,this.timer=setInterval(()=>this.tick(),F),this.changed())}async gather(e){await Promise.all(this.players.map(async t=>{this.isOn(t,this.wanted)&&(t.element.playbackRate=this.speed,t.element.currentTime=this.wanted-t.part.begins,await z(t.element,()=>e!==this.turn))}))}tick(){let[e,...t]=this.players;if(!e)return;if(e.element.ended||this.position>=this.duration)return this.finish();if(this.players.some(e=>this.isStarving(e)))return this.wait();this.stalledAt=0;let n=this.position;for(let e of t)this.hold(e,n);this.changed()}wait(){this.stalledAt||=performance.now(),performance.now()-this.stalledAt>I||(this.wanted=this.position,this.begin().catch(()=>this.pause()))}hold({part:e,element:t},n){let r=n-e.begins;if(!this.isOn({part:e,element:t},n))return t.pause();if(t.paused){t.currentTime=r,t.play().catch(()=>void 0);return}if(t.seeking)return;let i=t.currentTime-r;Math.abs(i)>j&&(t.currentTime=r);let a=Math.abs(i)<M?0:Math.min(P,Math.max(-.3,i*N)),o=this.speed*(1-a);t.playbackRate!==o&&(t.playbackRate=o)}finish(){this.wanted=this.duration,this.isPlaying=!1,this.pause()}isOn({part:e},t){return e.begins<=t&&t<e.ends}isStarving({part:e,element:t}){return!t.ended&&!t.paused&&t.readyState<HTMLMediaElement.HAVE_FUTURE_DATA&&this.position<e.ends-.5}},R=e=>e.ends-e.begins,z=(e,t)=>new Promise(n=>{let r=performance.now()+I,i=()=>{if(!e.seeking&&e.readyState>=HTMLMediaElement.HAVE_FUTURE_DATA||e.error||t()||performance.now()>r)return n();setTimeout(i,15)};i()}),B=[.5,.75,1,1.25,1.5,2],V=5,H=2,U=1,W=class extends n{static{this.styles=[r,l`
      :host { display: block; }
      .stage { display: grid; gap: 0.5rem; }
      .sides { display: grid; grid-template-columns: 1fr 1fr; gap: 0.5rem; }
      .sides.alone { grid-template-columns: 1fr; }
      figure { margin: 0; position: relative; aspect-ratio: 16 / 9; border-radius: 10px; overflow: hidden; background: #0c1013; color: #e8ecef; }
      .sound figure { aspect-ratio: auto; height: clamp(7rem, 22vw, 11rem); }
      .screen { grid-row: 1; }
      .with-screen .sides { max-width: 26rem; justify-self: center; width: 100%; }
      video { position: absolute; inset: 0; width: 100%; height: 100%; object-fit: contain; background: #0c1013; }
      video[data-dark] { visibility: hidden; }
      .nobody { position: absolute; inset: 0; display: grid; place-items: center; }
      .nobody span { width: 4.5rem; height: 4.5rem; max-height: 55%; border-radius: 50%; display: grid; place-items: center; background: #2b3844; font-size: 1.75rem; font-weight: 600; }
      .with-screen .nobody span { width: 2.75rem; height: 2.75rem; font-size: 1.1rem; }
      figcaption { position: absolute; inset: auto 0 0 0; display: flex; align-items: end; justify-content: space-between; gap: 0.5rem; padding: 0.5rem; font-size: 0.875rem; }
      figcaption > span { padding: 0.15rem 0.6rem; border-radius: 0.8rem; background: rgb(0 0 0 / 0.6); overflow-wrap: anywhere; }
      figcaption button { flex: none; padding: 0.15rem 0.6rem; font-size: 0.8rem; background: rgb(0 0 0 / 0.6); border-color: rgb(255 255 255 / 0.4); color: #fff; }
      figcaption button[aria-pressed="true"] { background: #fff; color: #17202a; }
      .line { position: relative; margin-top: 0.75rem; }
      input[type="range"] { width: 100%; margin: 0; height: 1.75rem; accent-color: var(--accent); cursor: pointer; }
      .marks { position: absolute; inset: auto 8px 0 8px; height: 0.45rem; pointer-events: none; }
      .marks i { position: absolute; width: 3px; height: 100%; margin-left: -1.5px; border-radius: 2px; background: var(--quiet); }
      @media (forced-colors: active) { .marks i { forced-color-adjust: none; background: CanvasText; } }
      .bar { display: flex; flex-wrap: wrap; gap: 0.5rem 0.75rem; align-items: center; margin-top: 0.5rem; }
      .time { font-variant-numeric: tabular-nums; }
      .bar label { margin-left: auto; display: flex; gap: 0.5rem; align-items: center; color: var(--quiet); }
      select { font: inherit; color: var(--ink); background: var(--card); border: 1px solid var(--quiet); border-radius: 8px; padding: 0.35rem 0.5rem; }
      select:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
      #play { min-width: 6.5rem; }
      .hint { margin: 0.5rem 0 0; font-size: 0.85rem; }
      @media (max-width: 34rem) { .sides { grid-template-columns: minmax(0, 1fr); } .with-screen .sides { grid-template-columns: 1fr 1fr; } }
      @media (hover: none) { .hint { display: none; } }
    `]}constructor(){super(),this.names={},this.participants=[],this.chapters=[],this.duration=0,this.start=0,this.position=0,this.muted=new Set,this.error=``,this.playbackSync=new L,this.frame=0,this.toggle=async()=>{if(this.playbackSync.isPlaying)return this.playbackSync.pause();try{await this.playbackSync.play()}catch{this.fail()}},this.fail=(e=`cannotPlay`)=>{this.playbackSync.pause(),this.error=i(e)},this.onMediaError=({target:e})=>{let{error:t}=e;this.fail(t?.code===H?`loadFailed`:`cannotPlay`)},this.key=e=>{let t=e.composedPath()[0];if(t.matches(`select, textarea, dialog *, input:not([type=range])`)||e.ctrlKey||e.metaKey||e.altKey||e.key===` `&&t.matches(`button, a, summary`))return;let n=this.playbackSync.position,r={" ":()=>void this.toggle(),k:()=>void this.toggle(),ArrowLeft:()=>void this.seek(n-V),ArrowRight:()=>void this.seek(n+V),Home:()=>void this.seek(0),End:()=>void this.seek(this.duration),ArrowUp:()=>this.changeSpeedBy(1),ArrowDown:()=>this.changeSpeedBy(-1)}[e.key];r&&(e.preventDefault(),r())},this.playbackSync.addEventListener(`change`,()=>this.show())}connectedCallback(){super.connectedCallback(),addEventListener(`keydown`,this.key),this.load()}disconnectedCallback(){super.disconnectedCallback(),removeEventListener(`keydown`,this.key),this.playbackSync.release()}render(){if(this.error)return c`<p class="error" role="alert">${this.error}</p>`;if(!this.parts)return c`<p class="quiet" role="status">${i(`preparing`)}</p>`;let e=this.parts.filter(e=>e.kind===`screen`),n=e.some(e=>K(e,this.position)),r=[...new Set(this.parts.map(G))],a=this.parts.some(e=>e.kind!==`audio`);return c`
      <div class="stage ${n?`with-screen`:``} ${a?``:`sound`}">
        ${e.length?this.screen(e,n):t}
        <div class="sides ${r.length===1?`alone`:``}">${r.map(e=>this.place(e))}</div>
      </div>
      <div class="line">
        <input id="position" type="range" min="0" max=${this.duration} step="any" aria-label=${i(`position`)}
          aria-valuetext="${f(this.position)} ${i(`of`)} ${f(this.duration)}" .value=${g(String(this.position))} @input=${this.drag} />
        <div class="marks" aria-hidden="true">
          ${this.chapters.map(e=>c`<i .style=${`left: ${100*e.at/(this.duration||1)}%`} title=${e.title}></i>`)}
        </div>
      </div>
      <div class="bar">
        <button class="primary" id="play" @click=${this.toggle}>${i(this.playbackSync.isPlaying?`pause`:`play`)}</button>
        <span class="time">${f(this.position)} / ${f(this.duration)}</span>
        ${this.playbackSync.isWaiting&&this.playbackSync.isPlaying?c`<span class="quiet" role="status">${i(`loading`)}</span>`:t}
        <label>${i(`speed`)}<select id="speed" @change=${this.changeSpeed}>
          ${B.map(e=>c`<option value=${e} ?selected=${e===this.playbackSync.rate}>${e}×</option>`)}
        </select></label>
      </div>
      <p class="hint quiet">${i(`playerKeys`)}</p>
    `}place(e){let n=this.parts?.filter(t=>G(t)===e)??[],r=n.filter(e=>e.kind!==`screen`),a=this.nameOf(n[0]),o=this.muted.has(e),s=!r.some(e=>K(e,this.position));return c`<figure>
      ${s?c`<div class="nobody" aria-hidden="true"><span>${q(a)}</span></div>`:t}
      ${r.map(e=>this.video(e,a))}
      <figcaption>
        <span>${a}</span>
        <button aria-pressed=${o?`true`:`false`} aria-label="${i(`mute`)} ${a}" @click=${()=>this.mute(e)}>${i(`mute`)}</button>
      </figcaption>
    </figure>`}screen(e,t){let n=e.find(e=>K(e,this.position))??e[0],r=`${i(`screenOf`)} ${this.nameOf(n)}`;return c`<figure class="screen" ?hidden=${!t}>
      ${e.map(e=>this.video(e,r))}
      <figcaption><span>${r}</span></figcaption>
    </figure>`}video(e,t){return c`<video data-part=${e.name} playsinline preload="auto" src=${this.opened?.source(e)??``} aria-label=${t}
      .muted=${this.muted.has(G(e))} ?data-dark=${!K(e,this.position)} @error=${this.onMediaError}></video>`}nameOf(e){return(e?.participants.map(e=>this.participants.find(t=>t.id===e)?.name))?.filter(Boolean).join(`, `)||this.names[e?.side??``]||``}async load(){try{this.parts=await this.opened?.parts()??[]}catch(e){this.error=e.message||i(`loadFailed`)}}updated(e){if(!e.has(`parts`)||!this.parts)return;let t=this.parts.flatMap(e=>{let t=this.renderRoot.querySelector(`video[data-part="${e.name}"]`);return t?[{part:e,element:t}]:[]});this.playbackSync.attach(t,this.duration),this.seek(this.start)}async seek(e){try{await this.playbackSync.seek(e)}catch{this.fail()}this.show()}drag(){this.seek(Number(this.slider.value))}changeSpeed(e){this.playbackSync.rate=Number(e.target.value)}mute(e){let t=new Set(this.muted);t.delete(e)||t.add(e),this.muted=t}changeSpeedBy(e){let t=B.indexOf(this.playbackSync.rate)+e;this.playbackSync.rate=B[Math.min(B.length-1,Math.max(0,t))]??1}show(){cancelAnimationFrame(this.frame);let e=this.playbackSync.position;(Math.abs(e-this.position)>.05||!this.playbackSync.isPlaying)&&(this.position=e,this.dispatchEvent(new CustomEvent(`position`,{detail:e}))),this.requestUpdate(),this.playbackSync.isPlaying&&(this.frame=requestAnimationFrame(()=>this.show()))}};s([o({attribute:!1})],W.prototype,`opened`,void 0),s([o({attribute:!1})],W.prototype,`names`,void 0),s([o({attribute:!1})],W.prototype,`participants`,void 0),s([o({attribute:!1})],W.prototype,`chapters`,void 0),s([o({type:Number})],W.prototype,`duration`,void 0),s([o({type:Number})],W.prototype,`start`,void 0),s([h(`#position`)],W.prototype,`slider`,void 0),s([e()],W.prototype,`parts`,void 0),s([e()],W.prototype,`position`,void 0),s([e()],W.prototype,`muted`,void 0),s([e()],W.prototype,`error`,void 0),W=s([a(`visavis-player`)],W);var G=e=>`${e.side} ${e.participants.join()}`,K=(e,t)=>e.pictures.some(([e,n])=>e-.05<=t&&t<n+U),q=e=>e.trim().charAt(0).toUpperCase()||`?`,J=25,Y={any:[`anyLength`,``,``],short:[`underOneMinute`,``,`60`],middle:[`oneToTenMinutes`,`60`,`600`],long:[`overTenMinutes`,`600`,``]},X=[[`date`,`startedAt`],[`visitor`,`visitor`],[`agent`,`agent`],[`kind`,``],[`length`,`duration`],[`size`,`size`]],Z=class extends n{constructor(...e){super(...e),this.index=1,this.sort=`-startedAt`,this.isFiltered=!1,this.error=``,this.filters=new URLSearchParams,this.turn=0}static{this.styles=[r,l`
      form { display: grid; grid-template-columns: repeat(auto-fit, minmax(8rem, 1fr)); gap: 0.75rem; align-items: end; margin-bottom: 1rem; }
      label { display: grid; gap: 0.25rem; font-size: 0.875rem; color: var(--quiet); }
      input, select { font: inherit; color: var(--ink); background: var(--card); border: 1px solid var(--quiet); border-radius: 8px; padding: 0 0.6rem; height: 2.5rem; min-width: 0; width: 100%; }
      .error { margin: 0 0 1rem; }
      table { border-collapse: collapse; width: 100%; }
      th, td { text-align: left; padding: 0.6rem 0.75rem 0.6rem 0; border-bottom: 1px solid var(--line); vertical-align: baseline; }
      td.number { font-variant-numeric: tabular-nums; white-space: nowrap; }
      td.who { overflow-wrap: anywhere; }
      th button { border: 0; background: none; padding: 0; font-weight: 600; border-radius: 4px; white-space: nowrap; }
      tbody tr:hover { background: color-mix(in srgb, var(--accent) 6%, transparent); }
      td:last-child { text-align: right; padding-right: 0; }
      small { display: block; color: var(--quiet); }
      nav { display: flex; flex-wrap: wrap; gap: 0.75rem; align-items: center; justify-content: space-between; margin-top: 1rem; }
      nav p { margin: 0; }
      nav div { display: flex; gap: 0.5rem; }
      .held { border-color: var(--accent); color: var(--accent); }
      @media (max-width: 56rem) {
        table, tbody { display: block; }
        thead { position: absolute; clip-path: inset(50%); }
        tr { display: grid; grid-template-columns: minmax(0, 1fr) auto; gap: 0.1rem 1rem; padding: 0.75rem 0; border-bottom: 1px solid var(--line); }
        td { border: 0; padding: 0; }
        td:first-child { font-weight: 600; }
        td:last-child { grid-area: 1 / 2 / span 3; align-self: center; }
        td.kind, td.size { display: none; }
      }
    `]}connectedCallback(){super.connectedCallback(),this.load()}render(){return c`<section class="card" aria-labelledby="title">
      <h1 id="title">${i(`recordings`)}</h1>
      ${this.form()}
      ${this.error?c`<p class="error" role="alert">${this.error}</p>`:t}
      ${this.page?this.found(this.page):c`<p class="quiet">${i(`loading`)}</p>`}
    </section>`}form(){let e=(e,t)=>c`<label>${i(t)}<input name=${e} type="search" maxlength="100" autocomplete="off" /></label>`,n=(e,t)=>c`<label>${i(t)}<input name=${e} type="date" /></label>`;return c`<form @input=${this.filter} @submit=${e=>e.preventDefault()} @reset=${()=>setTimeout(()=>this.filter())}>
      ${e(`visitor`,`visitor`)} ${e(`agent`,`agent`)} ${n(`from`,`from`)} ${n(`to`,`to`)}
      <label>${i(`length`)}<select name="length">${Object.entries(Y).map(([e,[t]])=>c`<option value=${e}>${i(t)}</option>`)}</select></label>
      <label>${i(`kind`)}<select name="kind">
        <option value="">${i(`every`)}</option><option value="video">${i(`videoCall`)}</option><option value="audio">${i(`audioCall`)}</option><option value="held">${i(`onHold`)}</option>
      </select></label>
      ${this.isFiltered?c`<button type="reset">${i(`clearFilters`)}</button>`:t}
    </form>`}found(e){if(!e.total)return c`<p class="quiet" role="status">${i(this.isFiltered?`nothingFound`:`noRecordings`)}</p>`;let n=(this.index-1)*J,r=n+e.recordings.length;return c`
      <table>
        <thead><tr>${X.map(([e,t])=>this.head(e,t))}<td></td></tr></thead>
        <tbody>${e.recordings.map(e=>this.row(e))}</tbody>
      </table>
      <nav aria-label=${i(`pages`)}>
        <p class="quiet" role="status">${n+1}–${r} ${i(`of`)} ${e.total}${e.isTotalExact?``:`+`}</p>
        ${e.total>J?c`<div>
              <button ?disabled=${this.index===1} @click=${()=>this.turnTo(this.index-1)}>${i(`previous`)}</button>
              <button ?disabled=${!e.nextPage} @click=${()=>this.turnTo(this.index+1)}>${i(`next`)}</button>
            </div>`:t}
      </nav>
    `}head(e,t){if(!t)return c`<th scope="col" class=${e}>${i(e)}</th>`;let n=this.sort.replace(`-`,``)===t?this.sort.startsWith(`-`)?`descending`:`ascending`:`none`,r={none:``,ascending:` ↑`,descending:` ↓`}[n];return c`<th scope="col" class=${e} aria-sort=${n}>
      <button @click=${()=>this.sortBy(t)}>${i(e)}<span aria-hidden="true">${r}</span></button>
    </th>`}row(e){let n=()=>this.dispatchEvent(new CustomEvent(`open-recording`,{detail:e.id})),r=e.visitorName||i(`aVisitor`);return c`<tr>
      <td class="number">${u(e.startedAt)}${e.isHeld?c` <span class="badge held">${i(`onHold`)}</span>`:t}${e.missing.length?c` <span class="badge incomplete">${i(`isIncomplete`)}</span>`:t}</td>
      <td class="who">${r}${e.visitorEmail?c`<small>${e.visitorEmail}</small>`:t}</td>
      <td class="who">${e.agentNames.join(`, `)}</td>
      <td class="kind">${i(e.media===`video`?`videoCall`:`audioCall`)}</td>
      <td class="number">${f(e.duration)}</td>
      <td class="number size">${d(e.size)}</td>
      <td><button data-play @click=${n} aria-description="${r}, ${u(e.startedAt)}">${i(`play`)}</button></td>
    </tr>`}filter(){let e=this.renderRoot.querySelector(`form`);if(!e)return;let t=Object.fromEntries(new FormData(e)),[,n,r]=Y[t.length??`any`]??Y.any,i=t.kind??``,a={visitor:t.visitor,agent:t.agent,from:Q(t.from,0),to:Q(t.to,1),shortest:n,longest:r,media:i===`held`?``:i,held:i===`held`?`true`:``};this.filters=new URLSearchParams(Object.entries(a).filter(([,e])=>e)),this.isFiltered=this.filters.size>0,this.turnTo(1)}sortBy(e){this.sort=this.sort===`-${e}`?e:`-${e}`,this.turnTo(1)}turnTo(e){this.index=e,this.load()}async load(){let e=++this.turn,t=new URLSearchParams(this.filters);for(let[e,n]of[[`sort`,this.sort],[`pageIndex`,this.index],[`pageSize`,J]])t.set(String(e),String(n));try{let n=await S(t);if(e!==this.turn)return;this.page=n,this.error=``}catch(t){e===this.turn&&(this.error=t.message||i(`loadFailed`))}}};s([e()],Z.prototype,`page`,void 0),s([e()],Z.prototype,`index`,void 0),s([e()],Z.prototype,`sort`,void 0),s([e()],Z.prototype,`isFiltered`,void 0),s([e()],Z.prototype,`error`,void 0),Z=s([a(`visavis-recordings`)],Z);var Q=(e,t)=>{if(!e)return``;let n=new Date(`${e}T00:00`);return n.setDate(n.getDate()+t),Number.isNaN(n.getTime())?``:n.toISOString()},$=class extends n{constructor(...e){super(...e),this.alone=!1,this.isServerAway=!1,this.position=0,this.error=``,this.start=0,this.onPopState=()=>void this.follow()}static{this.styles=[r,l`
      a { color: var(--accent); }
      main { max-width: var(--page-width); margin: 0 auto; padding: 1.25rem clamp(0.75rem, 3vw, 1.25rem) 4rem; display: grid; gap: 1.25rem; grid-template-columns: minmax(0, 1fr); }
      .one { display: grid; grid-template-columns: minmax(0, 1fr) minmax(16rem, 24rem); gap: 1.25rem; align-items: start; }
      .main { display: grid; gap: 1.25rem; grid-template-columns: minmax(0, 1fr); }
      .title { display: flex; flex-wrap: wrap; gap: 0.25rem 1rem; align-items: baseline; margin-bottom: 0.75rem; }
      h1 { margin: 0; min-width: 0; overflow-wrap: anywhere; }
      .badge { border-color: var(--accent); color: var(--accent); }
      @media (max-width: 60rem) { .one { grid-template-columns: minmax(0, 1fr); } }
    `]}async connectedCallback(){super.connectedCallback(),addEventListener(`popstate`,this.onPopState),this.session=await v(()=>this.isServerAway=!0),await this.follow()}disconnectedCallback(){super.disconnectedCallback(),removeEventListener(`popstate`,this.onPopState)}render(){return this.session?c`
      <visavis-header current="library" .session=${this.session} ?alone=${this.alone}></visavis-header>
      <main>${this.may(`View Recordings`)?this.content():c`<p class="card" role="alert">${i(`mayNotView`)}</p>`}</main>
    `:this.isServerAway?c`<p class="error" role="alert">${i(`serverAway`)}</p>`:t}content(){return this.error?c`<p class="card error" role="alert">${this.error}</p>${this.back()}`:this.opened?!this.recording||!this.contents?c`<p class="quiet" role="status">${i(`loading`)}</p>`:this.one(this.opened,this.recording,this.contents):c`<visavis-recordings @open-recording=${e=>this.open(e.detail)}></visavis-recordings>`}one(e,n,r){let a=n.visitorName||i(`aVisitor`),o=n.agentNames.join(`, `)||i(`agent`),s={visitor:a,agent:o,"":a,system:``};return c`
      ${this.back()}
      <div class="one">
        <div class="main">
          <section class="card" aria-labelledby="title">
            <div class="title">
              <h1 id="title">${a} · ${o}</h1>
              <span class="quiet">${u(n.startedAt)}, ${i(n.media===`video`?`videoCall`:`audioCall`)}</span>
              ${n.isHeld?c`<span class="badge">${i(`onHold`)}</span>`:t}
              ${n.missing.length?c`<span class="badge">${i(`isIncomplete`)}</span>`:t}
            </div>
            ${n.missing.map(e=>c`<p class="warn">${e}</p>`)}
            <visavis-player .opened=${e} .names=${s} .participants=${r.participants} .chapters=${r.chapters} .duration=${n.duration} .start=${this.start}
              @position=${e=>this.position=e.detail}></visavis-player>
          </section>
          <visavis-recording-actions .opened=${e} .recording=${n} .mayManage=${this.may(`Manage Settings`)}
            @changed=${e=>this.recording=e.detail} @deleted=${()=>this.open(``)}></visavis-recording-actions>
        </div>
        <visavis-details-panel .contents=${r} .names=${s} .position=${this.position}
          @seek=${e=>void this.player?.seek(e.detail)}></visavis-details-panel>
      </div>
    `}back(){return c`<a href=${location.pathname} @click=${e=>{e.preventDefault(),this.open(``)}}>← ${i(`allRecordings`)}</a>`}may(e){return this.session?.permissions.includes(e)??!1}open(e){history.pushState(null,``,e?`?recording=${encodeURIComponent(e)}`:location.pathname),this.follow()}async follow(){let e=new URLSearchParams(location.search),t=e.get(`recording`);this.start=Math.max(0,Number(e.get(`t`))||0),this.error=``,this.position=0,this.recording=this.contents=void 0;let n=this.opened=t?new C(t):void 0;if(n&&this.may(`View Recordings`))try{let{recording:e,contents:t}=await n.details();this.opened===n&&Object.assign(this,{recording:e,contents:t})}catch(e){this.opened===n&&(this.error=e.message||i(`loadFailed`))}}};s([o({type:Boolean})],$.prototype,`alone`,void 0),s([h(`visavis-player`)],$.prototype,`player`,void 0),s([e()],$.prototype,`session`,void 0),s([e()],$.prototype,`isServerAway`,void 0),s([e()],$.prototype,`opened`,void 0),s([e()],$.prototype,`recording`,void 0),s([e()],$.prototype,`contents`,void 0),s([e()],$.prototype,`position`,void 0),s([e()],$.prototype,`error`,void 0),$=s([a(`visavis-library`)],$);