import{d as e,f as t,g as n,m as r,p as i,r as a,s as o,t as s,u as c,y as l}from"./decorate-Bp4JMDkJ.js";import{n as u,r as d,t as f}from"./format-DdnngG-R.js";import{n as p,t as m}from"./live-qks_D42-.js";import{n as h}from"./page-header-C90Alb0s.js";var g=`/library/recordings`,_=class extends Error{},v=async(e,t=`GET`)=>{let n=await fetch(g+e,{method:t});if(n.status===204)return;let r=await n.json().catch(()=>void 0);if(!n.ok)throw new _(r?.message??``);return r},y=e=>v(`?${e.toString()}`),b=class{constructor(e){this.id=e,this.play=`play=${crypto.randomUUID?.()??Math.random().toString(36).slice(2)}`,this.details=()=>v(`${this.path}?${this.play}`),this.parts=async()=>(await v(`${this.path}/parts?${this.play}`)).parts,this.source=e=>`${g}${this.path}/parts/${e.name}?${this.play}`,this.composition=()=>v(`${this.path}/composed`),this.compose=()=>v(`${this.path}/composed`,`POST`),this.cancel=()=>v(`${this.path}/composed`,`DELETE`),this.hold=async e=>(await v(`${this.path}/hold`,e?`PUT`:`DELETE`)).recording,this.remove=()=>v(this.path,`DELETE`)}get path(){return`/${encodeURIComponent(this.id)}`}get original(){return`${g}${this.path}/original.mkv`}get composed(){return`${g}${this.path}/composed.mp4`}},x=.2,S=class extends i{constructor(...e){super(...e),this.names={},this.position=0}static{this.styles=[a,l`
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
    `]}render(){if(!this.contents)return r;let{chapters:e,texts:t,quality:i}=this.contents;return n`
      <section class="card" aria-labelledby="texts-title">
        <h2 id="texts-title">${o(`conversation`)}</h2>
        ${t.length?n`<ol id="texts">${t.map(e=>this.text(e,t))}</ol>`:n`<p class="quiet">${o(`noTexts`)}</p>`}
      </section>
      ${e.length?n`<section class="card" aria-labelledby="chapters-title">
            <h2 id="chapters-title">${o(`chapters`)}</h2>
            <ol id="chapters">${e.map(t=>this.chapter(t,e))}</ol>
          </section>`:r}
      ${Object.keys(i).length?this.quality(i):r}
    `}text(e,t){let r=n`<span class="text"><b>${this.names[e.by]??e.by}</b>${e.data.text??``}</span>`;return this.line(e.at,this.isNow(e,t),r)}chapter(e,t){return this.line(e.at,this.isNow(e,t),n`<span class="text">${e.title}</span>`)}line(e,t,r){return n`<li><button aria-current=${t?`true`:`false`} @click=${()=>this.dispatchEvent(new CustomEvent(`seek`,{detail:e}))}><time>${f(e)}</time>${r}</button></li>`}isNow(e,t){return e===t.findLast(e=>e.at<=this.position+x)}quality(e){let t=[`visitor`,`agent`].filter(t=>e[t]),r=(r,i)=>n`<tr><th scope="row">${o(r)}</th>${t.map(t=>n`<td>${i(e[t]??{})}</td>`)}</tr>`;return n`<section class="card" aria-labelledby="quality-title">
      <h2 id="quality-title">${o(`quality`)}</h2>
      <table>
        <thead><tr><td></td>${t.map(e=>n`<th scope="col">${o(e)}</th>`)}</tr></thead>
        <tbody>
          ${r(`heardAs`,e=>typeof e.mos==`number`?`${o(C(e.mos))} (${e.mos.toFixed(1)})`:`–`)}
          ${r(`lossSent`,e=>w(e.lossIn))} ${r(`lossReceived`,e=>w(e.lossOut))}
          ${r(`roundTrip`,e=>T(e.roundTrip))} ${r(`jitter`,e=>T(e.jitter))}
        </tbody>
      </table>
    </section>`}updated(e){if(e.has(`position`))for(let e of this.renderRoot.querySelectorAll(`ol`)){let t=e.querySelector(`[aria-current="true"]`);t&&!e.matches(`:hover, :focus-within`)&&e.dataset.now!==t.textContent&&(e.dataset.now=t.textContent??``,e.scrollTop=t.offsetTop-e.offsetTop-e.clientHeight/2)}}};s([e({attribute:!1})],S.prototype,`contents`,void 0),s([e({attribute:!1})],S.prototype,`names`,void 0),s([e({type:Number})],S.prototype,`position`,void 0),S=s([t(`visavis-beside`)],S);var C=e=>e>=4?`good`:e>=3.1?`fair`:`poor`,w=e=>typeof e==`number`?`${(100*e).toFixed(1)} %`:`–`,T=e=>typeof e==`number`?`${Math.round(e)} ms`:`–`,E=700,D=class extends i{constructor(...e){super(...e),this.mayManage=!1,this.film={state:`none`,progress:0},this.error=``,this.compose=()=>this.attempt(async()=>this.follow(await this.opened?.compose())),this.cancel=()=>this.attempt(async()=>{clearTimeout(this.timer),this.film=await this.opened?.cancel()??this.film}),this.hold=()=>this.attempt(async()=>{let e=await this.opened?.hold(!this.recording?.isHeld);this.dispatchEvent(new CustomEvent(`changed`,{detail:e}))}),this.erase=()=>this.attempt(async()=>{this.dialog.close(),await this.opened?.remove(),this.dispatchEvent(new CustomEvent(`deleted`))})}static{this.styles=[a,l`
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
    `]}connectedCallback(){super.connectedCallback(),this.attempt(async()=>this.follow(await this.opened?.composition()))}disconnectedCallback(){super.disconnectedCallback(),clearTimeout(this.timer)}render(){let e=this.recording;return e?n`<section class="card" aria-labelledby="title">
      <h2 id="title">${o(`takeAlong`)}</h2>
      ${this.error?n`<p class="error" role="alert">${this.error}</p>`:r}
      <div class="row"><p class="quiet">${o(`originalHelp`)}</p><a href=${this.opened?.original??``} download>${o(`download`)} (${d(e.size)})</a></div>
      ${this.composition()}
      ${this.mayManage?this.keeping(e):e.isHeld?n`<p class="quiet">${o(`heldHelp`)}</p>`:r}
    </section>`:r}composition(){let{state:e,progress:t}=this.film;return e===`done`?n`<div class="row"><p class="quiet">${o(`composedHelp`)}</p><a id="composed" href=${this.opened?.composed??``} download>${o(`downloadComposed`)}</a></div>`:e===`none`||e===`failed`?n`<div class="row">
        <p class="quiet">${o(e===`failed`?`composeFailed`:`composeHelp`)}</p><button id="compose" @click=${this.compose}>${o(`compose`)}</button>
      </div>`:n`<div class="row">
        <p class="quiet" role="status">${e===`waiting`?o(`composeWaiting`):`${o(`composing`)} ${Math.round(100*t)} %`}</p>
        <button @click=${this.cancel}>${o(`cancel`)}</button>
      </div>
      <progress max="1" .value=${t} aria-label=${o(`composing`)}></progress>`}keeping(e){return n`
      <div class="row"><p class="quiet">${o(e.isHeld?`heldHelp`:`holdHelp`)}</p><button id="hold" @click=${this.hold}>${o(e.isHeld?`release`:`hold`)}</button></div>
      ${e.isHeld?r:n`<div class="row"><p class="quiet">${o(`deleteHelp`)}</p><button class="danger-text" id="delete" @click=${()=>this.dialog.showModal()}>${o(`delete`)}</button></div>`}
      <dialog aria-labelledby="sure" aria-describedby="sure-what">
        <h2 id="sure">${o(`deleteSure`)}</h2>
        <p id="sure-what"><strong>${e.visitorName||o(`aVisitor`)} · ${e.agentNames.join(`, `)||o(`agent`)}</strong><br />${u(e.startedAt)}, ${f(e.duration)}</p>
        <p class="quiet">${o(`deleteSureHelp`)}</p>
        <div class="row">
          <button @click=${()=>this.dialog.close()}>${o(`keep`)}</button>
          <button class="danger" id="delete-now" @click=${this.erase}>${o(`delete`)}</button>
        </div>
      </dialog>
    `}follow(e){this.film=e??this.film,clearTimeout(this.timer),this.isConnected&&[`waiting`,`running`].includes(this.film.state)&&(this.timer=setTimeout(()=>void this.attempt(async()=>this.follow(await this.opened?.composition())),E))}async attempt(e){try{await e(),this.error=``}catch(e){this.error=e.message||o(`loadFailed`)}}};s([e({attribute:!1})],D.prototype,`opened`,void 0),s([e({attribute:!1})],D.prototype,`recording`,void 0),s([e({type:Boolean})],D.prototype,`mayManage`,void 0),s([p(`dialog`)],D.prototype,`dialog`,void 0),s([c()],D.prototype,`film`,void 0),s([c()],D.prototype,`error`,void 0),D=s([t(`visavis-deeds`)],D);var O=.3,k=.012,A=3,j=.3,M=100,N=8e3,P=class{constructor(e){this.changed=e,this.players=[],this.duration=0,this.speed=1,this.wanted=0,this.turn=0,this.stalledAt=0,this.isPlaying=!1,this.isWaiting=!1}attach(e,t){this.release(),this.duration=t,this.players=[...e].sort((e,t)=>F(t.part)-F(e.part));for(let{element:e}of this.players)e.defaultPlaybackRate=e.playbackRate=this.speed}release(){this.pause(),this.players=[]}get position(){let[e]=this.players;return!e||!this.isPlaying||this.isWaiting?this.wanted:Math.min(this.duration,e.part.begins+e.element.currentTime)}get rate(){return this.speed}set rate(e){this.speed=e;for(let{element:t}of this.players)t.playbackRate=e;this.changed()}async play(){this.position>=this.duration-.1&&(this.wanted=0),this.isPlaying=!0,await this.begin()}pause(){this.isPlaying&&(this.wanted=this.position),this.isPlaying=this.isWaiting=!1,this.turn++,clearInterval(this.timer);for(let{element:e}of this.players)e.pause();this.changed()}async seek(e){if(this.wanted=Math.min(Math.max(0,e),this.duration),this.isPlaying)return this.begin();let t=++this.turn;this.changed(),await this.gather(t)}async begin(){let e=++this.turn;this.isWaiting=!0,this.changed(),clearInterval(this.timer);for(let{element:e}of this.players)e.pause();if(await this.gather(e),e!==this.turn)return;let t=this.players.filter(e=>this.isOn(e,this.wanted));await Promise.all(t.map(({element:e})=>e.play())),e===this.turn&&(this.isWaiting=!1,this.timer=setInterval(()=>this.tick(),M),this.changed())}async gather(e){await Promise.all(this.players.map(async t=>{this.isOn(t,this.wanted)&&(t.element.playbackRate=this.speed,t.element.currentTime=this.wanted-t.part.begins,await I(t.element,()=>e!==this.turn))}))}tick(){let[e,...t]=this.players;if(!e)return;if(e.element.ended||this.position>=this.duration)return this.finish();if(this.players.some(e=>this.isStarving(e)))return this.wait();this.stalledAt=0;let n=this.position;for(let e of t)this.hold(e,n);this.changed()}wait(){this.stalledAt||=performance.now(),performance.now()-this.stalledAt>N||(this.wanted=this.position,this.begin().catch(()=>this.pause()))}hold({part:e,element:t},n){let r=n-e.begins;if(!this.isOn({part:e,element:t},n))return t.pause();if(t.paused){t.currentTime=r,t.play().catch(()=>void 0);return}if(t.seeking)return;let i=t.currentTime-r;Math.abs(i)>O&&(t.currentTime=r);let a=Math.abs(i)<k?0:Math.min(j,Math.max(-.3,i*A)),o=this.speed*(1-a);t.playbackRate!==o&&(t.playbackRate=o)}finish(){this.wanted=this.duration,this.isPlaying=!1,this.pause()}isOn({part:e},t){return e.begins<=t&&t<e.ends}isStarving({part:e,element:t}){return!t.ended&&!t.paused&&t.readyState<HTMLMediaElement.HAVE_FUTURE_DATA&&this.position<e.ends-.5}},F=e=>e.ends-e.begins,I=(e,t)=>new Promise(n=>{let r=performance.now()+N,i=()=>{if(!e.seeking&&e.readyState>=HTMLMediaElement.HAVE_FUTURE_DATA||e.error||t()||performance.now()>r)return n();setTimeout(i,15)};i()}),L=[.5,.75,1,1.25,1.5,2],R=5,z=1,B=class extends i{constructor(...e){super(...e),this.names={},this.chapters=[],this.duration=0,this.start=0,this.position=0,this.muted=new Set,this.error=``,this.conductor=new P(()=>this.show()),this.frame=0,this.toggle=async()=>{if(this.conductor.isPlaying)return this.conductor.pause();try{await this.conductor.play()}catch{this.fail()}},this.fail=()=>{this.conductor.pause(),this.error=o(`cannotPlay`)},this.key=e=>{let t=e.composedPath()[0];if(t.matches(`select, textarea, dialog *, input:not([type=range])`)||e.ctrlKey||e.metaKey||e.altKey||e.key===` `&&t.matches(`button, a, summary`))return;let n=this.conductor.position,r={" ":()=>void this.toggle(),k:()=>void this.toggle(),ArrowLeft:()=>void this.seek(n-R),ArrowRight:()=>void this.seek(n+R),Home:()=>void this.seek(0),End:()=>void this.seek(this.duration),ArrowUp:()=>this.changeSpeedBy(1),ArrowDown:()=>this.changeSpeedBy(-1)}[e.key];r&&(e.preventDefault(),r())}}static{this.styles=[a,l`
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
      .bar { display: flex; flex-wrap: wrap; gap: 0.5rem 0.75rem; align-items: center; margin-top: 0.5rem; }
      .time { font-variant-numeric: tabular-nums; }
      .bar label { margin-left: auto; display: flex; gap: 0.5rem; align-items: center; color: var(--quiet); }
      select { font: inherit; color: var(--ink); background: var(--card); border: 1px solid var(--quiet); border-radius: 8px; padding: 0.35rem 0.5rem; }
      select:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
      #play { min-width: 6.5rem; }
      .hint { margin: 0.5rem 0 0; font-size: 0.85rem; }
      @media (max-width: 34rem) { .sides { grid-template-columns: minmax(0, 1fr); } .with-screen .sides { grid-template-columns: 1fr 1fr; } }
      @media (hover: none) { .hint { display: none; } }
    `]}connectedCallback(){super.connectedCallback(),addEventListener(`keydown`,this.key),this.load()}disconnectedCallback(){super.disconnectedCallback(),removeEventListener(`keydown`,this.key),this.conductor.release()}render(){if(this.error)return n`<p class="error" role="alert">${this.error}</p>`;if(!this.parts)return n`<p class="quiet" role="status">${o(`preparing`)}</p>`;let e=this.parts.filter(e=>e.kind===`screen`),t=e.some(e=>V(e,this.position)),i=[`visitor`,`agent`,``].filter(e=>this.parts?.some(t=>t.side===e)),a=this.parts.some(e=>e.kind!==`audio`);return n`
      <div class="stage ${t?`with-screen`:``} ${a?``:`sound`}">
        ${e.length?this.screen(e,t):r}
        <div class="sides ${i.length===1?`alone`:``}">${i.map(e=>this.side(e))}</div>
      </div>
      <div class="line">
        <input id="position" type="range" min="0" max=${this.duration} step="any" aria-label=${o(`position`)}
          aria-valuetext="${f(this.position)} ${o(`of`)} ${f(this.duration)}" .value=${m(String(this.position))} @input=${this.drag} />
        <div class="marks" aria-hidden="true">
          ${this.chapters.map(e=>n`<i .style=${`left: ${100*e.at/(this.duration||1)}%`} title=${e.title}></i>`)}
        </div>
      </div>
      <div class="bar">
        <button class="primary" id="play" @click=${this.toggle}>${o(this.conductor.isPlaying?`pause`:`play`)}</button>
        <span class="time">${f(this.position)} / ${f(this.duration)}</span>
        ${this.conductor.isWaiting&&this.conductor.isPlaying?n`<span class="quiet" role="status">${o(`loading`)}</span>`:r}
        <label>${o(`speed`)}<select id="speed" @change=${this.changeSpeed}>
          ${L.map(e=>n`<option value=${e} ?selected=${e===this.conductor.rate}>${e}×</option>`)}
        </select></label>
      </div>
      <p class="hint quiet">${o(`playerKeys`)}</p>
    `}side(e){let t=this.parts?.filter(t=>t.side===e&&t.kind!==`screen`)??[],i=this.names[e]??``,a=this.muted.has(e),s=!t.some(e=>V(e,this.position));return n`<figure>
      ${s?n`<div class="nobody" aria-hidden="true"><span>${H(i)}</span></div>`:r}
      ${t.map(e=>this.video(e,i))}
      <figcaption>
        <span>${i}</span>
        <button aria-pressed=${a?`true`:`false`} aria-label="${o(`mute`)} ${i}" @click=${()=>this.mute(e)}>${o(`mute`)}</button>
      </figcaption>
    </figure>`}screen(e,t){let r=e.find(e=>V(e,this.position))??e[0],i=`${o(`screenOf`)} ${this.names[r?.side??``]??``}`;return n`<figure class="screen" ?hidden=${!t}>
      ${e.map(e=>this.video(e,i))}
      <figcaption><span>${i}</span></figcaption>
    </figure>`}video(e,t){return n`<video data-part=${e.name} playsinline preload="auto" src=${this.opened?.source(e)??``} aria-label=${t}
      .muted=${this.muted.has(e.side)} ?data-dark=${!V(e,this.position)} @error=${this.fail}></video>`}async load(){try{this.parts=await this.opened?.parts()??[]}catch(e){this.error=e.message||o(`loadFailed`)}}updated(e){if(!e.has(`parts`)||!this.parts)return;let t=this.parts.flatMap(e=>{let t=this.renderRoot.querySelector(`video[data-part="${e.name}"]`);return t?[{part:e,element:t}]:[]});this.conductor.attach(t,this.duration),this.seek(this.start)}async seek(e){try{await this.conductor.seek(e)}catch{this.fail()}this.show()}drag(){this.seek(Number(this.slider.value))}changeSpeed(e){this.conductor.rate=Number(e.target.value)}mute(e){let t=new Set(this.muted);t.delete(e)||t.add(e),this.muted=t}changeSpeedBy(e){let t=L.indexOf(this.conductor.rate)+e;this.conductor.rate=L[Math.min(L.length-1,Math.max(0,t))]??1}show(){cancelAnimationFrame(this.frame);let e=this.conductor.position;(Math.abs(e-this.position)>.05||!this.conductor.isPlaying)&&(this.position=e,this.dispatchEvent(new CustomEvent(`position`,{detail:e}))),this.requestUpdate(),this.conductor.isPlaying&&(this.frame=requestAnimationFrame(()=>this.show()))}};s([e({attribute:!1})],B.prototype,`opened`,void 0),s([e({attribute:!1})],B.prototype,`names`,void 0),s([e({attribute:!1})],B.prototype,`chapters`,void 0),s([e({type:Number})],B.prototype,`duration`,void 0),s([e({type:Number})],B.prototype,`start`,void 0),s([p(`#position`)],B.prototype,`slider`,void 0),s([c()],B.prototype,`parts`,void 0),s([c()],B.prototype,`position`,void 0),s([c()],B.prototype,`muted`,void 0),s([c()],B.prototype,`error`,void 0),B=s([t(`visavis-player`)],B);var V=(e,t)=>e.pictures.some(([e,n])=>e-.05<=t&&t<n+z),H=e=>e.trim().charAt(0).toUpperCase()||`?`,U=25,W={any:[`anyLength`,``,``],short:[`underOneMinute`,``,`60`],middle:[`oneToTenMinutes`,`60`,`600`],long:[`overTenMinutes`,`600`,``]},G=[[`date`,`startedAt`],[`visitor`,`visitor`],[`agent`,`agent`],[`kind`,``],[`length`,`duration`],[`size`,`size`]],K=class extends i{constructor(...e){super(...e),this.index=1,this.sort=`-startedAt`,this.isFiltered=!1,this.error=``,this.filters=new URLSearchParams,this.turn=0}static{this.styles=[a,l`
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
    `]}connectedCallback(){super.connectedCallback(),this.load()}render(){return n`<section class="card" aria-labelledby="title">
      <h1 id="title">${o(`recordings`)}</h1>
      ${this.form()}
      ${this.error?n`<p class="error" role="alert">${this.error}</p>`:r}
      ${this.page?this.found(this.page):n`<p class="quiet">${o(`loading`)}</p>`}
    </section>`}form(){let e=(e,t)=>n`<label>${o(t)}<input name=${e} type="search" maxlength="100" autocomplete="off" /></label>`,t=(e,t)=>n`<label>${o(t)}<input name=${e} type="date" /></label>`;return n`<form @input=${this.filter} @submit=${e=>e.preventDefault()} @reset=${()=>setTimeout(()=>this.filter())}>
      ${e(`visitor`,`visitor`)} ${e(`agent`,`agent`)} ${t(`from`,`from`)} ${t(`to`,`to`)}
      <label>${o(`length`)}<select name="length">${Object.entries(W).map(([e,[t]])=>n`<option value=${e}>${o(t)}</option>`)}</select></label>
      <label>${o(`kind`)}<select name="kind">
        <option value="">${o(`every`)}</option><option value="video">${o(`videoCall`)}</option><option value="audio">${o(`audioCall`)}</option><option value="held">${o(`onHold`)}</option>
      </select></label>
      ${this.isFiltered?n`<button type="reset">${o(`clearFilters`)}</button>`:r}
    </form>`}found(e){if(!e.total)return n`<p class="quiet" role="status">${o(this.isFiltered?`nothingFound`:`noRecordings`)}</p>`;let t=(this.index-1)*U,i=t+e.recordings.length;return n`
      <table>
        <thead><tr>${G.map(([e,t])=>this.head(e,t))}<td></td></tr></thead>
        <tbody>${e.recordings.map(e=>this.row(e))}</tbody>
      </table>
      <nav aria-label=${o(`pages`)}>
        <p class="quiet" role="status">${t+1}–${i} ${o(`of`)} ${e.total}</p>
        ${e.total>U?n`<div>
              <button ?disabled=${this.index===1} @click=${()=>this.turnTo(this.index-1)}>${o(`previous`)}</button>
              <button ?disabled=${i>=e.total} @click=${()=>this.turnTo(this.index+1)}>${o(`next`)}</button>
            </div>`:r}
      </nav>
    `}head(e,t){if(!t)return n`<th scope="col" class=${e}>${o(e)}</th>`;let r=this.sort.replace(`-`,``)===t?this.sort.startsWith(`-`)?`descending`:`ascending`:`none`,i={none:``,ascending:` ↑`,descending:` ↓`}[r];return n`<th scope="col" class=${e} aria-sort=${r}>
      <button @click=${()=>this.sortBy(t)}>${o(e)}<span aria-hidden="true">${i}</span></button>
    </th>`}row(e){let t=()=>this.dispatchEvent(new CustomEvent(`open-recording`,{detail:e.id})),i=e.visitorName||o(`aVisitor`);return n`<tr>
      <td class="number">${u(e.startedAt)}${e.isHeld?n` <span class="badge held">${o(`onHold`)}</span>`:r}${e.missing.length?n` <span class="badge incomplete">${o(`isIncomplete`)}</span>`:r}</td>
      <td class="who">${i}${e.visitorEmail?n`<small>${e.visitorEmail}</small>`:r}</td>
      <td class="who">${e.agentNames.join(`, `)}</td>
      <td class="kind">${o(e.media===`video`?`videoCall`:`audioCall`)}</td>
      <td class="number">${f(e.duration)}</td>
      <td class="number size">${d(e.size)}</td>
      <td><button data-play @click=${t} aria-description="${i}, ${u(e.startedAt)}">${o(`play`)}</button></td>
    </tr>`}filter(){let e=this.renderRoot.querySelector(`form`);if(!e)return;let t=Object.fromEntries(new FormData(e)),[,n,r]=W[t.length??`any`]??W.any,i=t.kind??``,a={visitor:t.visitor,agent:t.agent,from:q(t.from,0),to:q(t.to,1),shortest:n,longest:r,media:i===`held`?``:i,held:i===`held`?`true`:``};this.filters=new URLSearchParams(Object.entries(a).filter(([,e])=>e)),this.isFiltered=this.filters.size>0,this.turnTo(1)}sortBy(e){this.sort=this.sort===`-${e}`?e:`-${e}`,this.turnTo(1)}turnTo(e){this.index=e,this.load()}async load(){let e=++this.turn,t=new URLSearchParams(this.filters);for(let[e,n]of[[`sort`,this.sort],[`pageIndex`,this.index],[`pageSize`,U]])t.set(String(e),String(n));try{let n=await y(t);if(e!==this.turn)return;this.page=n,this.error=``}catch(t){e===this.turn&&(this.error=t.message||o(`loadFailed`))}}};s([c()],K.prototype,`page`,void 0),s([c()],K.prototype,`index`,void 0),s([c()],K.prototype,`sort`,void 0),s([c()],K.prototype,`isFiltered`,void 0),s([c()],K.prototype,`error`,void 0),K=s([t(`visavis-recordings`)],K);var q=(e,t)=>{if(!e)return``;let n=new Date(`${e}T00:00`);return n.setDate(n.getDate()+t),Number.isNaN(n.getTime())?``:n.toISOString()},J=class extends i{constructor(...e){super(...e),this.alone=!1,this.position=0,this.error=``,this.start=0,this.onPopState=()=>void this.follow()}static{this.styles=[a,l`
      a { color: var(--accent); }
      main { max-width: 82rem; margin: 0 auto; padding: 1.25rem clamp(0.75rem, 3vw, 1.25rem) 4rem; display: grid; gap: 1.25rem; grid-template-columns: minmax(0, 1fr); }
      .one { display: grid; grid-template-columns: minmax(0, 1fr) minmax(16rem, 24rem); gap: 1.25rem; align-items: start; }
      .main { display: grid; gap: 1.25rem; grid-template-columns: minmax(0, 1fr); }
      .title { display: flex; flex-wrap: wrap; gap: 0.25rem 1rem; align-items: baseline; margin-bottom: 0.75rem; }
      h1 { margin: 0; min-width: 0; overflow-wrap: anywhere; }
      .badge { border-color: var(--accent); color: var(--accent); }
      @media (max-width: 60rem) { .one { grid-template-columns: minmax(0, 1fr); } }
    `]}async connectedCallback(){super.connectedCallback(),addEventListener(`popstate`,this.onPopState),this.session=await h(),await this.follow()}disconnectedCallback(){super.disconnectedCallback(),removeEventListener(`popstate`,this.onPopState)}render(){return this.session?n`
      <visavis-header current="library" .session=${this.session} ?alone=${this.alone}></visavis-header>
      <main>${this.may(`View Recordings`)?this.content():n`<p class="card" role="alert">${o(`mayNotView`)}</p>`}</main>
    `:r}content(){return this.error?n`<p class="card error" role="alert">${this.error}</p>${this.back()}`:this.opened?!this.recording||!this.contents?n`<p class="quiet" role="status">${o(`loading`)}</p>`:this.one(this.opened,this.recording,this.contents):n`<visavis-recordings @open-recording=${e=>this.open(e.detail)}></visavis-recordings>`}one(e,t,i){let a=t.visitorName||o(`aVisitor`),s=t.agentNames.join(`, `)||o(`agent`),c={visitor:a,agent:s,"":a,system:``};return n`
      ${this.back()}
      <div class="one">
        <div class="main">
          <section class="card" aria-labelledby="title">
            <div class="title">
              <h1 id="title">${a} · ${s}</h1>
              <span class="quiet">${u(t.startedAt)}, ${o(t.media===`video`?`videoCall`:`audioCall`)}</span>
              ${t.isHeld?n`<span class="badge">${o(`onHold`)}</span>`:r}
              ${t.missing.length?n`<span class="badge">${o(`isIncomplete`)}</span>`:r}
            </div>
            ${t.missing.map(e=>n`<p class="warn">${e}</p>`)}
            <visavis-player .opened=${e} .names=${c} .chapters=${i.chapters} .duration=${t.duration} .start=${this.start}
              @position=${e=>this.position=e.detail}></visavis-player>
          </section>
          <visavis-deeds .opened=${e} .recording=${t} .mayManage=${this.may(`Manage Settings`)}
            @changed=${e=>this.recording=e.detail} @deleted=${()=>this.open(``)}></visavis-deeds>
        </div>
        <visavis-beside .contents=${i} .names=${c} .position=${this.position}
          @seek=${e=>void this.player?.seek(e.detail)}></visavis-beside>
      </div>
    `}back(){return n`<a href=${location.pathname} @click=${e=>{e.preventDefault(),this.open(``)}}>← ${o(`allRecordings`)}</a>`}may(e){return this.session?.permissions.includes(e)??!1}open(e){history.pushState(null,``,e?`?recording=${encodeURIComponent(e)}`:location.pathname),this.follow()}async follow(){let e=new URLSearchParams(location.search),t=e.get(`recording`);this.start=Math.max(0,Number(e.get(`t`))||0),this.error=``,this.position=0,this.recording=this.contents=void 0;let n=this.opened=t?new b(t):void 0;if(n&&this.may(`View Recordings`))try{let{recording:e,contents:t}=await n.details();this.opened===n&&Object.assign(this,{recording:e,contents:t})}catch(e){this.opened===n&&(this.error=e.message||o(`loadFailed`))}}};s([e({type:Boolean})],J.prototype,`alone`,void 0),s([p(`visavis-player`)],J.prototype,`player`,void 0),s([c()],J.prototype,`session`,void 0),s([c()],J.prototype,`opened`,void 0),s([c()],J.prototype,`recording`,void 0),s([c()],J.prototype,`contents`,void 0),s([c()],J.prototype,`position`,void 0),s([c()],J.prototype,`error`,void 0),J=s([t(`visavis-library`)],J);