import{_ as e,b as t,c as n,d as r,f as i,h as a,i as o,m as s,p as c,t as l}from"./decorate-CgotLSzj.js";import{n as u,r as d,t as f}from"./format-DdnngG-R.js";import{n as p,t as m}from"./live-3AoRrLf9.js";import{n as h}from"./page-header-NwGLaUqJ.js";var g=`/library/recordings`,_=class extends Error{},v=async(e,t=`GET`)=>{let n=await fetch(g+e,{method:t});if(n.status===204)return;let r=await n.json().catch(()=>void 0);if(!n.ok)throw new _(r?.message??``);return r},y=e=>v(`?${e.toString()}`),b=class{constructor(e){this.id=e,this.play=`play=${crypto.randomUUID?.()??Math.random().toString(36).slice(2)}`,this.details=()=>v(`${this.path}?${this.play}`),this.parts=async()=>(await v(`${this.path}/parts?${this.play}`)).parts,this.source=e=>`${g}${this.path}/parts/${e.name}?${this.play}`,this.composition=()=>v(`${this.path}/composed`),this.compose=()=>v(`${this.path}/composed`,`POST`),this.cancel=()=>v(`${this.path}/composed`,`DELETE`),this.hold=async e=>(await v(`${this.path}/hold`,e?`PUT`:`DELETE`)).recording,this.remove=()=>v(this.path,`DELETE`)}get path(){return`/${encodeURIComponent(this.id)}`}get original(){return`${g}${this.path}/original.mkv`}get composed(){return`${g}${this.path}/composed.mp4`}},x=.2,S=class extends s{constructor(...e){super(...e),this.names={},this.position=0}static{this.styles=[o,t`
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
    `]}render(){if(!this.contents)return a;let{chapters:t,texts:r,quality:i}=this.contents;return e`
      <section class="card" aria-labelledby="texts-title">
        <h2 id="texts-title">${n(`conversation`)}</h2>
        ${r.length?e`<ol id="texts">${r.map(e=>this.text(e,r))}</ol>`:e`<p class="quiet">${n(`noTexts`)}</p>`}
      </section>
      ${t.length?e`<section class="card" aria-labelledby="chapters-title">
            <h2 id="chapters-title">${n(`chapters`)}</h2>
            <ol id="chapters">${t.map(e=>this.chapter(e,t))}</ol>
          </section>`:a}
      ${Object.keys(i).length?this.quality(i):a}
    `}text(t,n){let r=e`<span class="text"><b>${this.names[t.by]??t.by}</b>${t.data.text??``}</span>`;return this.line(t.at,this.isNow(t,n),r)}chapter(t,n){return this.line(t.at,this.isNow(t,n),e`<span class="text">${t.title}</span>`)}line(t,n,r){return e`<li><button aria-current=${n?`true`:`false`} @click=${()=>this.dispatchEvent(new CustomEvent(`seek`,{detail:t}))}><time>${f(t)}</time>${r}</button></li>`}isNow(e,t){return e===t.findLast(e=>e.at<=this.position+x)}quality(t){let r=[`visitor`,`agent`].filter(e=>t[e]),i=(i,a)=>e`<tr><th scope="row">${n(i)}</th>${r.map(n=>e`<td>${a(t[n]??{})}</td>`)}</tr>`;return e`<section class="card" aria-labelledby="quality-title">
      <h2 id="quality-title">${n(`quality`)}</h2>
      <table>
        <thead><tr><td></td>${r.map(t=>e`<th scope="col">${n(t)}</th>`)}</tr></thead>
        <tbody>
          ${i(`heardAs`,e=>typeof e.mos==`number`?`${n(C(e.mos))} (${e.mos.toFixed(1)})`:`–`)}
          ${i(`lossSent`,e=>w(e.lossIn))} ${i(`lossReceived`,e=>w(e.lossOut))}
          ${i(`roundTrip`,e=>T(e.roundTrip))} ${i(`jitter`,e=>T(e.jitter))}
        </tbody>
      </table>
    </section>`}updated(e){if(e.has(`position`))for(let e of this.renderRoot.querySelectorAll(`ol`)){let t=e.querySelector(`[aria-current="true"]`);t&&!e.matches(`:hover, :focus-within`)&&e.dataset.now!==t.textContent&&(e.dataset.now=t.textContent??``,e.scrollTop=t.offsetTop-e.offsetTop-e.clientHeight/2)}}};l([i({attribute:!1})],S.prototype,`contents`,void 0),l([i({attribute:!1})],S.prototype,`names`,void 0),l([i({type:Number})],S.prototype,`position`,void 0),S=l([c(`visavis-beside`)],S);var C=e=>e>=4?`good`:e>=3.1?`fair`:`poor`,w=e=>typeof e==`number`?`${(100*e).toFixed(1)} %`:`–`,T=e=>typeof e==`number`?`${Math.round(e)} ms`:`–`,E=700,D=class extends s{constructor(...e){super(...e),this.mayManage=!1,this.film={state:`none`,progress:0},this.error=``,this.compose=()=>this.attempt(async()=>this.follow(await this.opened?.compose())),this.cancel=()=>this.attempt(async()=>{clearTimeout(this.timer),this.film=await this.opened?.cancel()??this.film}),this.hold=()=>this.attempt(async()=>{let e=await this.opened?.hold(!this.recording?.isHeld);this.dispatchEvent(new CustomEvent(`changed`,{detail:e}))}),this.erase=()=>this.attempt(async()=>{this.dialog.close(),await this.opened?.remove(),this.dispatchEvent(new CustomEvent(`deleted`))})}static{this.styles=[o,t`
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
    `]}connectedCallback(){super.connectedCallback(),this.attempt(async()=>this.follow(await this.opened?.composition()))}disconnectedCallback(){super.disconnectedCallback(),clearTimeout(this.timer)}render(){let t=this.recording;return t?e`<section class="card" aria-labelledby="title">
      <h2 id="title">${n(`takeAlong`)}</h2>
      ${this.error?e`<p class="error" role="alert">${this.error}</p>`:a}
      <div class="row"><p class="quiet">${n(`originalHelp`)}</p><a href=${this.opened?.original??``} download>${n(`download`)} (${d(t.size)})</a></div>
      ${this.composition()}
      ${this.mayManage?this.keeping(t):t.isHeld?e`<p class="quiet">${n(`heldHelp`)}</p>`:a}
    </section>`:a}composition(){let{state:t,progress:r}=this.film;return t===`done`?e`<div class="row"><p class="quiet">${n(`composedHelp`)}</p><a id="composed" href=${this.opened?.composed??``} download>${n(`downloadComposed`)}</a></div>`:t===`none`||t===`failed`?e`<div class="row">
        <p class="quiet">${n(t===`failed`?`composeFailed`:`composeHelp`)}</p><button id="compose" @click=${this.compose}>${n(`compose`)}</button>
      </div>`:e`<div class="row">
        <p class="quiet" role="status">${t===`waiting`?n(`composeWaiting`):`${n(`composing`)} ${Math.round(100*r)} %`}</p>
        <button @click=${this.cancel}>${n(`cancel`)}</button>
      </div>
      <progress max="1" .value=${r} aria-label=${n(`composing`)}></progress>`}keeping(t){return e`
      <div class="row"><p class="quiet">${n(t.isHeld?`heldHelp`:`holdHelp`)}</p><button id="hold" @click=${this.hold}>${n(t.isHeld?`release`:`hold`)}</button></div>
      ${t.isHeld?a:e`<div class="row"><p class="quiet">${n(`deleteHelp`)}</p><button class="danger-text" id="delete" @click=${()=>this.dialog.showModal()}>${n(`delete`)}</button></div>`}
      <dialog aria-labelledby="sure" aria-describedby="sure-what">
        <h2 id="sure">${n(`deleteSure`)}</h2>
        <p id="sure-what"><strong>${t.visitorName||n(`aVisitor`)} · ${t.agentNames.join(`, `)||n(`agent`)}</strong><br />${u(t.startedAt)}, ${f(t.duration)}</p>
        <p class="quiet">${n(`deleteSureHelp`)}</p>
        <div class="row">
          <button @click=${()=>this.dialog.close()}>${n(`keep`)}</button>
          <button class="danger" id="delete-now" @click=${this.erase}>${n(`delete`)}</button>
        </div>
      </dialog>
    `}follow(e){this.film=e??this.film,clearTimeout(this.timer),this.isConnected&&[`waiting`,`running`].includes(this.film.state)&&(this.timer=setTimeout(()=>void this.attempt(async()=>this.follow(await this.opened?.composition())),E))}async attempt(e){try{await e(),this.error=``}catch(e){this.error=e.message||n(`loadFailed`)}}};l([i({attribute:!1})],D.prototype,`opened`,void 0),l([i({attribute:!1})],D.prototype,`recording`,void 0),l([i({type:Boolean})],D.prototype,`mayManage`,void 0),l([p(`dialog`)],D.prototype,`dialog`,void 0),l([r()],D.prototype,`film`,void 0),l([r()],D.prototype,`error`,void 0),D=l([c(`visavis-deeds`)],D);var O=.3,k=.012,A=3,j=.3,M=100,N=8e3,P=class{constructor(e){this.changed=e,this.players=[],this.duration=0,this.speed=1,this.wanted=0,this.turn=0,this.stalledAt=0,this.isPlaying=!1,this.isWaiting=!1}attach(e,t){this.release(),this.duration=t,this.players=[...e].sort((e,t)=>F(t.part)-F(e.part));for(let{element:e}of this.players)e.defaultPlaybackRate=e.playbackRate=this.speed}release(){this.pause(),this.players=[]}get position(){let[e]=this.players;return!e||!this.isPlaying||this.isWaiting?this.wanted:Math.min(this.duration,e.part.begins+e.element.currentTime)}get rate(){return this.speed}set rate(e){this.speed=e;for(let{element:t}of this.players)t.playbackRate=e;this.changed()}async play(){this.position>=this.duration-.1&&(this.wanted=0),this.isPlaying=!0,await this.begin()}pause(){this.isPlaying&&(this.wanted=this.position),this.isPlaying=this.isWaiting=!1,this.turn++,clearInterval(this.timer);for(let{element:e}of this.players)e.pause();this.changed()}async seek(e){if(this.wanted=Math.min(Math.max(0,e),this.duration),this.isPlaying)return this.begin();let t=++this.turn;this.changed(),await this.gather(t)}async begin(){let e=++this.turn;this.isWaiting=!0,this.changed(),clearInterval(this.timer);for(let{element:e}of this.players)e.pause();if(await this.gather(e),e!==this.turn)return;let t=this.players.filter(e=>this.isOn(e,this.wanted));await Promise.all(t.map(({element:e})=>e.play())),e===this.turn&&(this.isWaiting=!1,this.timer=setInterval(()=>this.tick(),M),this.changed())}async gather(e){await Promise.all(this.players.map(async t=>{this.isOn(t,this.wanted)&&(t.element.playbackRate=this.speed,t.element.currentTime=this.wanted-t.part.begins,await I(t.element,()=>e!==this.turn))}))}tick(){let[e,...t]=this.players;if(!e)return;if(e.element.ended||this.position>=this.duration)return this.finish();if(this.players.some(e=>this.isStarving(e)))return this.wait();this.stalledAt=0;let n=this.position;for(let e of t)this.hold(e,n);this.changed()}wait(){this.stalledAt||=performance.now(),performance.now()-this.stalledAt>N||(this.wanted=this.position,this.begin().catch(()=>this.pause()))}hold({part:e,element:t},n){let r=n-e.begins;if(!this.isOn({part:e,element:t},n))return t.pause();if(t.paused){t.currentTime=r,t.play().catch(()=>void 0);return}if(t.seeking)return;let i=t.currentTime-r;Math.abs(i)>O&&(t.currentTime=r);let a=Math.abs(i)<k?0:Math.min(j,Math.max(-.3,i*A)),o=this.speed*(1-a);t.playbackRate!==o&&(t.playbackRate=o)}finish(){this.wanted=this.duration,this.isPlaying=!1,this.pause()}isOn({part:e},t){return e.begins<=t&&t<e.ends}isStarving({part:e,element:t}){return!t.ended&&!t.paused&&t.readyState<HTMLMediaElement.HAVE_FUTURE_DATA&&this.position<e.ends-.5}},F=e=>e.ends-e.begins,I=(e,t)=>new Promise(n=>{let r=performance.now()+N,i=()=>{if(!e.seeking&&e.readyState>=HTMLMediaElement.HAVE_FUTURE_DATA||e.error||t()||performance.now()>r)return n();setTimeout(i,15)};i()}),L=[.5,.75,1,1.25,1.5,2],R=5,z=1,B=class extends s{constructor(...e){super(...e),this.names={},this.chapters=[],this.duration=0,this.start=0,this.position=0,this.muted=new Set,this.error=``,this.conductor=new P(()=>this.show()),this.frame=0,this.toggle=async()=>{if(this.conductor.isPlaying)return this.conductor.pause();try{await this.conductor.play()}catch{this.fail()}},this.fail=()=>{this.conductor.pause(),this.error=n(`cannotPlay`)},this.key=e=>{let t=e.composedPath()[0];if(t.matches(`select, textarea, dialog *, input:not([type=range])`)||e.ctrlKey||e.metaKey||e.altKey||e.key===` `&&t.matches(`button, a, summary`))return;let n=this.conductor.position,r={" ":()=>void this.toggle(),k:()=>void this.toggle(),ArrowLeft:()=>void this.seek(n-R),ArrowRight:()=>void this.seek(n+R),Home:()=>void this.seek(0),End:()=>void this.seek(this.duration),ArrowUp:()=>this.changeSpeedBy(1),ArrowDown:()=>this.changeSpeedBy(-1)}[e.key];r&&(e.preventDefault(),r())}}static{this.styles=[o,t`
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
    `]}connectedCallback(){super.connectedCallback(),addEventListener(`keydown`,this.key),this.load()}disconnectedCallback(){super.disconnectedCallback(),removeEventListener(`keydown`,this.key),this.conductor.release()}render(){if(this.error)return e`<p class="error" role="alert">${this.error}</p>`;if(!this.parts)return e`<p class="quiet" role="status">${n(`preparing`)}</p>`;let t=this.parts.filter(e=>e.kind===`screen`),r=t.some(e=>V(e,this.position)),i=[`visitor`,`agent`,``].filter(e=>this.parts?.some(t=>t.side===e)),o=this.parts.some(e=>e.kind!==`audio`);return e`
      <div class="stage ${r?`with-screen`:``} ${o?``:`sound`}">
        ${t.length?this.screen(t,r):a}
        <div class="sides ${i.length===1?`alone`:``}">${i.map(e=>this.side(e))}</div>
      </div>
      <div class="line">
        <input id="position" type="range" min="0" max=${this.duration} step="any" aria-label=${n(`position`)}
          aria-valuetext="${f(this.position)} ${n(`of`)} ${f(this.duration)}" .value=${m(String(this.position))} @input=${this.drag} />
        <div class="marks" aria-hidden="true">
          ${this.chapters.map(t=>e`<i .style=${`left: ${100*t.at/(this.duration||1)}%`} title=${t.title}></i>`)}
        </div>
      </div>
      <div class="bar">
        <button class="primary" id="play" @click=${this.toggle}>${n(this.conductor.isPlaying?`pause`:`play`)}</button>
        <span class="time">${f(this.position)} / ${f(this.duration)}</span>
        ${this.conductor.isWaiting&&this.conductor.isPlaying?e`<span class="quiet" role="status">${n(`loading`)}</span>`:a}
        <label>${n(`speed`)}<select id="speed" @change=${this.changeSpeed}>
          ${L.map(t=>e`<option value=${t} ?selected=${t===this.conductor.rate}>${t}×</option>`)}
        </select></label>
      </div>
      <p class="hint quiet">${n(`playerKeys`)}</p>
    `}side(t){let r=this.parts?.filter(e=>e.side===t&&e.kind!==`screen`)??[],i=this.names[t]??``,o=this.muted.has(t),s=!r.some(e=>V(e,this.position));return e`<figure>
      ${s?e`<div class="nobody" aria-hidden="true"><span>${H(i)}</span></div>`:a}
      ${r.map(e=>this.video(e,i))}
      <figcaption>
        <span>${i}</span>
        <button aria-pressed=${o?`true`:`false`} aria-label="${n(`mute`)} ${i}" @click=${()=>this.mute(t)}>${n(`mute`)}</button>
      </figcaption>
    </figure>`}screen(t,r){let i=t.find(e=>V(e,this.position))??t[0],a=`${n(`screenOf`)} ${this.names[i?.side??``]??``}`;return e`<figure class="screen" ?hidden=${!r}>
      ${t.map(e=>this.video(e,a))}
      <figcaption><span>${a}</span></figcaption>
    </figure>`}video(t,n){return e`<video data-part=${t.name} playsinline preload="auto" src=${this.opened?.source(t)??``} aria-label=${n}
      .muted=${this.muted.has(t.side)} ?data-dark=${!V(t,this.position)} @error=${this.fail}></video>`}async load(){try{this.parts=await this.opened?.parts()??[]}catch(e){this.error=e.message||n(`loadFailed`)}}updated(e){if(!e.has(`parts`)||!this.parts)return;let t=this.parts.flatMap(e=>{let t=this.renderRoot.querySelector(`video[data-part="${e.name}"]`);return t?[{part:e,element:t}]:[]});this.conductor.attach(t,this.duration),this.seek(this.start)}async seek(e){try{await this.conductor.seek(e)}catch{this.fail()}this.show()}drag(){this.seek(Number(this.slider.value))}changeSpeed(e){this.conductor.rate=Number(e.target.value)}mute(e){let t=new Set(this.muted);t.delete(e)||t.add(e),this.muted=t}changeSpeedBy(e){let t=L.indexOf(this.conductor.rate)+e;this.conductor.rate=L[Math.min(L.length-1,Math.max(0,t))]??1}show(){cancelAnimationFrame(this.frame);let e=this.conductor.position;(Math.abs(e-this.position)>.05||!this.conductor.isPlaying)&&(this.position=e,this.dispatchEvent(new CustomEvent(`position`,{detail:e}))),this.requestUpdate(),this.conductor.isPlaying&&(this.frame=requestAnimationFrame(()=>this.show()))}};l([i({attribute:!1})],B.prototype,`opened`,void 0),l([i({attribute:!1})],B.prototype,`names`,void 0),l([i({attribute:!1})],B.prototype,`chapters`,void 0),l([i({type:Number})],B.prototype,`duration`,void 0),l([i({type:Number})],B.prototype,`start`,void 0),l([p(`#position`)],B.prototype,`slider`,void 0),l([r()],B.prototype,`parts`,void 0),l([r()],B.prototype,`position`,void 0),l([r()],B.prototype,`muted`,void 0),l([r()],B.prototype,`error`,void 0),B=l([c(`visavis-player`)],B);var V=(e,t)=>e.pictures.some(([e,n])=>e-.05<=t&&t<n+z),H=e=>e.trim().charAt(0).toUpperCase()||`?`,U=25,W={any:[`anyLength`,``,``],short:[`underOneMinute`,``,`60`],middle:[`oneToTenMinutes`,`60`,`600`],long:[`overTenMinutes`,`600`,``]},G=[[`date`,`startedAt`],[`visitor`,`visitor`],[`agent`,`agent`],[`kind`,``],[`length`,`duration`],[`size`,`size`]],K=class extends s{constructor(...e){super(...e),this.index=1,this.sort=`-startedAt`,this.isFiltered=!1,this.error=``,this.filters=new URLSearchParams,this.turn=0}static{this.styles=[o,t`
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
      button:disabled { opacity: 0.45; cursor: default; }
      .held { border-color: var(--accent); color: var(--accent); }
      @media (max-width: 46rem) {
        thead { position: absolute; clip-path: inset(50%); }
        tr { display: grid; grid-template-columns: 1fr auto; gap: 0.1rem 1rem; padding: 0.75rem 0; border-bottom: 1px solid var(--line); }
        td { border: 0; padding: 0; }
        td:first-child { font-weight: 600; }
        td:last-child { grid-area: 1 / 2 / span 3; align-self: center; }
        td.kind, td.size { display: none; }
      }
    `]}connectedCallback(){super.connectedCallback(),this.load()}render(){return e`<section class="card" aria-labelledby="title">
      <h1 id="title">${n(`recordings`)}</h1>
      ${this.form()}
      ${this.error?e`<p class="error" role="alert">${this.error}</p>`:a}
      ${this.page?this.found(this.page):e`<p class="quiet">${n(`loading`)}</p>`}
    </section>`}form(){let t=(t,r)=>e`<label>${n(r)}<input name=${t} type="search" maxlength="100" autocomplete="off" /></label>`,r=(t,r)=>e`<label>${n(r)}<input name=${t} type="date" /></label>`;return e`<form @input=${this.filter} @submit=${e=>e.preventDefault()} @reset=${()=>setTimeout(()=>this.filter())}>
      ${t(`visitor`,`visitor`)} ${t(`agent`,`agent`)} ${r(`from`,`from`)} ${r(`to`,`to`)}
      <label>${n(`length`)}<select name="length">${Object.entries(W).map(([t,[r]])=>e`<option value=${t}>${n(r)}</option>`)}</select></label>
      <label>${n(`kind`)}<select name="kind">
        <option value="">${n(`every`)}</option><option value="video">${n(`videoCall`)}</option><option value="audio">${n(`audioCall`)}</option><option value="held">${n(`onHold`)}</option>
      </select></label>
      ${this.isFiltered?e`<button type="reset">${n(`clearFilters`)}</button>`:a}
    </form>`}found(t){if(!t.total)return e`<p class="quiet" role="status">${n(this.isFiltered?`nothingFound`:`noRecordings`)}</p>`;let r=(this.index-1)*U,i=r+t.recordings.length;return e`
      <table>
        <thead><tr>${G.map(([e,t])=>this.head(e,t))}<td></td></tr></thead>
        <tbody>${t.recordings.map(e=>this.row(e))}</tbody>
      </table>
      <nav aria-label=${n(`pages`)}>
        <p class="quiet" role="status">${r+1}–${i} ${n(`of`)} ${t.total}</p>
        ${t.total>U?e`<div>
              <button ?disabled=${this.index===1} @click=${()=>this.turnTo(this.index-1)}>${n(`previous`)}</button>
              <button ?disabled=${i>=t.total} @click=${()=>this.turnTo(this.index+1)}>${n(`next`)}</button>
            </div>`:a}
      </nav>
    `}head(t,r){if(!r)return e`<th scope="col" class=${t}>${n(t)}</th>`;let i=this.sort.replace(`-`,``)===r?this.sort.startsWith(`-`)?`descending`:`ascending`:`none`,a={none:``,ascending:` ↑`,descending:` ↓`}[i];return e`<th scope="col" class=${t} aria-sort=${i}>
      <button @click=${()=>this.sortBy(r)}>${n(t)}<span aria-hidden="true">${a}</span></button>
    </th>`}row(t){let r=()=>this.dispatchEvent(new CustomEvent(`open-recording`,{detail:t.id})),i=t.visitorName||n(`aVisitor`);return e`<tr>
      <td class="number">${u(t.startedAt)}${t.isHeld?e` <span class="badge held">${n(`onHold`)}</span>`:a}${t.missing.length?e` <span class="badge incomplete">${n(`isIncomplete`)}</span>`:a}</td>
      <td class="who">${i}${t.visitorEmail?e`<small>${t.visitorEmail}</small>`:a}</td>
      <td class="who">${t.agentNames.join(`, `)}</td>
      <td class="kind">${n(t.media===`video`?`videoCall`:`audioCall`)}</td>
      <td class="number">${f(t.duration)}</td>
      <td class="number size">${d(t.size)}</td>
      <td><button data-play @click=${r} aria-description="${i}, ${u(t.startedAt)}">${n(`play`)}</button></td>
    </tr>`}filter(){let e=this.renderRoot.querySelector(`form`);if(!e)return;let t=Object.fromEntries(new FormData(e)),[,n,r]=W[t.length??`any`]??W.any,i=t.kind??``,a={visitor:t.visitor,agent:t.agent,from:q(t.from,0),to:q(t.to,1),shortest:n,longest:r,media:i===`held`?``:i,held:i===`held`?`true`:``};this.filters=new URLSearchParams(Object.entries(a).filter(([,e])=>e)),this.isFiltered=this.filters.size>0,this.turnTo(1)}sortBy(e){this.sort=this.sort===`-${e}`?e:`-${e}`,this.turnTo(1)}turnTo(e){this.index=e,this.load()}async load(){let e=++this.turn,t=new URLSearchParams(this.filters);for(let[e,n]of[[`sort`,this.sort],[`pageIndex`,this.index],[`pageSize`,U]])t.set(String(e),String(n));try{let n=await y(t);if(e!==this.turn)return;this.page=n,this.error=``}catch(t){e===this.turn&&(this.error=t.message||n(`loadFailed`))}}};l([r()],K.prototype,`page`,void 0),l([r()],K.prototype,`index`,void 0),l([r()],K.prototype,`sort`,void 0),l([r()],K.prototype,`isFiltered`,void 0),l([r()],K.prototype,`error`,void 0),K=l([c(`visavis-recordings`)],K);var q=(e,t)=>{if(!e)return``;let n=new Date(`${e}T00:00`);return n.setDate(n.getDate()+t),Number.isNaN(n.getTime())?``:n.toISOString()},J=class extends s{constructor(...e){super(...e),this.alone=!1,this.position=0,this.error=``,this.start=0,this.onPopState=()=>void this.follow()}static{this.styles=[o,t`
      a { color: var(--accent); }
      main { max-width: 82rem; margin: 0 auto; padding: 1.25rem clamp(0.75rem, 3vw, 1.25rem) 4rem; display: grid; gap: 1.25rem; grid-template-columns: minmax(0, 1fr); }
      .one { display: grid; grid-template-columns: minmax(0, 1fr) minmax(16rem, 24rem); gap: 1.25rem; align-items: start; }
      .main { display: grid; gap: 1.25rem; grid-template-columns: minmax(0, 1fr); }
      .title { display: flex; flex-wrap: wrap; gap: 0.25rem 1rem; align-items: baseline; margin-bottom: 0.75rem; }
      h1 { margin: 0; min-width: 0; overflow-wrap: anywhere; }
      .badge { border-color: var(--accent); color: var(--accent); }
      @media (max-width: 60rem) { .one { grid-template-columns: minmax(0, 1fr); } }
    `]}async connectedCallback(){super.connectedCallback(),addEventListener(`popstate`,this.onPopState),this.session=await h(),await this.follow()}disconnectedCallback(){super.disconnectedCallback(),removeEventListener(`popstate`,this.onPopState)}render(){return this.session?e`
      <visavis-header current="library" .session=${this.session} ?alone=${this.alone}></visavis-header>
      <main>${this.may(`View Recordings`)?this.content():e`<p class="card" role="alert">${n(`mayNotView`)}</p>`}</main>
    `:a}content(){return this.error?e`<p class="card error" role="alert">${this.error}</p>${this.back()}`:this.opened?!this.recording||!this.contents?e`<p class="quiet" role="status">${n(`loading`)}</p>`:this.one(this.opened,this.recording,this.contents):e`<visavis-recordings @open-recording=${e=>this.open(e.detail)}></visavis-recordings>`}one(t,r,i){let o=r.visitorName||n(`aVisitor`),s=r.agentNames.join(`, `)||n(`agent`),c={visitor:o,agent:s,"":o,system:``};return e`
      ${this.back()}
      <div class="one">
        <div class="main">
          <section class="card" aria-labelledby="title">
            <div class="title">
              <h1 id="title">${o} · ${s}</h1>
              <span class="quiet">${u(r.startedAt)}, ${n(r.media===`video`?`videoCall`:`audioCall`)}</span>
              ${r.isHeld?e`<span class="badge">${n(`onHold`)}</span>`:a}
              ${r.missing.length?e`<span class="badge">${n(`isIncomplete`)}</span>`:a}
            </div>
            ${r.missing.map(t=>e`<p class="warn">${t}</p>`)}
            <visavis-player .opened=${t} .names=${c} .chapters=${i.chapters} .duration=${r.duration} .start=${this.start}
              @position=${e=>this.position=e.detail}></visavis-player>
          </section>
          <visavis-deeds .opened=${t} .recording=${r} .mayManage=${this.may(`Manage Settings`)}
            @changed=${e=>this.recording=e.detail} @deleted=${()=>this.open(``)}></visavis-deeds>
        </div>
        <visavis-beside .contents=${i} .names=${c} .position=${this.position}
          @seek=${e=>void this.player?.seek(e.detail)}></visavis-beside>
      </div>
    `}back(){return e`<a href=${location.pathname} @click=${e=>{e.preventDefault(),this.open(``)}}>← ${n(`allRecordings`)}</a>`}may(e){return this.session?.permissions.includes(e)??!1}open(e){history.pushState(null,``,e?`?recording=${encodeURIComponent(e)}`:location.pathname),this.follow()}async follow(){let e=new URLSearchParams(location.search),t=e.get(`recording`);this.start=Math.max(0,Number(e.get(`t`))||0),this.error=``,this.position=0,this.recording=this.contents=void 0;let r=this.opened=t?new b(t):void 0;if(r&&this.may(`View Recordings`))try{let{recording:e,contents:t}=await r.details();this.opened===r&&Object.assign(this,{recording:e,contents:t})}catch(e){this.opened===r&&(this.error=e.message||n(`loadFailed`))}}};l([i({type:Boolean})],J.prototype,`alone`,void 0),l([p(`visavis-player`)],J.prototype,`player`,void 0),l([r()],J.prototype,`session`,void 0),l([r()],J.prototype,`opened`,void 0),l([r()],J.prototype,`recording`,void 0),l([r()],J.prototype,`contents`,void 0),l([r()],J.prototype,`position`,void 0),l([r()],J.prototype,`error`,void 0),J=l([c(`visavis-library`)],J);