/* empty css    */import{a as e,c as t,d as n,l as r,n as i,o as a,p as o,t as s,u as c}from"./decorate.js";import{n as l,r as u,t as d}from"./format.js";import{t as f}from"./session.js";var p=.05,m=class extends r{constructor(...e){super(...e),this.isPlaying=!1,this.position=0,this.error=``}static{this.styles=[i,o`
      header { display: flex; gap: 1.5rem; align-items: center; padding: 0.75rem 1.25rem; border-bottom: 1px solid var(--line); background: var(--card); }
      header strong { margin-right: auto; }
      a { color: var(--accent); }
      main { max-width: 64rem; margin: 0 auto; padding: 1.5rem 1.25rem; display: grid; gap: 1.25rem; }
      .scroll { overflow-x: auto; }
      table { border-collapse: collapse; width: 100%; }
      th, td { text-align: left; padding: 0.6rem 0.75rem; border-bottom: 1px solid var(--line); white-space: nowrap; }
      .sides { display: grid; grid-template-columns: repeat(auto-fit, minmax(16rem, 1fr)); gap: 0.75rem; }
      figure { margin: 0; } figcaption { color: var(--quiet); }
      video { width: 100%; aspect-ratio: 16 / 9; background: #0c1013; border-radius: 10px; }
      .bar { display: flex; flex-wrap: wrap; gap: 0.75rem; align-items: center; margin-top: 0.75rem; }
      input[type="range"] { flex: 1; min-width: 8rem; accent-color: var(--accent); }
      .time { font-variant-numeric: tabular-nums; }
    `]}async connectedCallback(){super.connectedCallback(),await f();let t=await fetch(`/library/recordings`),n=await t.json();t.ok?this.recordings=n.recordings:this.error=n.message??e(`loadFailed`)}render(){return n`
      <header><strong>Visavis · ${e(`library`)}</strong><a href="/console">${e(`console`)}</a><a href="/admin">${e(`settings`)}</a></header>
      <main>
        ${this.error?n`<p class="error" role="alert">${this.error}</p>`:c}
        ${this.selected?this.player(this.selected):c}
        <section class="card">
          <h1>${e(`recordings`)}</h1>
          ${this.recordings?.length===0?n`<p class="quiet">${e(`noRecordings`)}</p>`:c}
          ${this.recordings?.length?this.table(this.recordings):c}
        </section>
      </main>
    `}table(t){let r=[e(`date`),e(`visitor`),e(`agent`),e(`kind`),e(`length`),e(`size`)];return n`<div class="scroll" tabindex="0" role="region" aria-label=${e(`recordings`)}>
      <table>
        <thead><tr>${r.map(e=>n`<th scope="col">${e}</th>`)}<td></td></tr></thead>
        <tbody>
          ${t.map(t=>n`<tr>
              <td>${l(t.startedAt)}</td>
              <td>${t.visitorName||e(`aVisitor`)}</td>
              <td>${t.agentName}</td>
              <td>${e(t.media===`video`?`videoCall`:`audioCall`)}</td>
              <td>${d(t.duration)}</td>
              <td>${u(t.size)}</td>
              <td><button data-play @click=${()=>this.select(t)}>${e(`play`)}</button></td>
            </tr>`)}
        </tbody>
      </table>
    </div>`}player(t){let r=(e,r)=>n`<figure>
      <video data-side=${e} playsinline preload="auto" src="/library/recordings/${t.id}/${e}.webm"
        aria-label=${r} @timeupdate=${this.follow} @ended=${()=>this.pause()}></video>
      <figcaption>${r}</figcaption>
    </figure>`;return n`<section class="card" aria-label=${l(t.startedAt)}>
      <div class="sides">
        ${r(`visitor`,t.visitorName||e(`aVisitor`))} ${r(`agent`,t.agentName||e(`agent`))}
      </div>
      <div class="bar">
        <button class="primary" id="play" @click=${this.toggle}>${e(this.isPlaying?`pause`:`play`)}</button>
        <input type="range" aria-label=${e(`position`)} min="0" max=${t.duration} step="0.1" .value=${String(this.position)} @input=${this.seek} />
        <span class="time">${d(this.position)} / ${d(t.duration)}</span>
        <a href="/library/recordings/${t.id}/original.mkv" download>${e(`download`)}</a>
      </div>
    </section>`}select(e){this.pause(),this.position=0,this.selected=e}get videos(){return[...this.renderRoot.querySelectorAll(`video`)]}async toggle(){if(this.isPlaying)return this.pause();this.isPlaying=!0;try{await Promise.all(this.videos.map(e=>e.play()))}catch{this.error=e(`loadFailed`),this.pause()}}pause(){this.isPlaying=!1,this.videos.forEach(e=>e.pause())}seek(e){this.position=Number(e.target.value),this.videos.forEach(e=>e.currentTime=this.position)}follow(){let[e,t]=this.videos;if(!e||!t)return;this.position=e.currentTime;let n=Math.abs(e.currentTime-t.currentTime);this.isPlaying&&n>p&&(t.currentTime=e.currentTime)}};s([a()],m.prototype,`recordings`,void 0),s([a()],m.prototype,`selected`,void 0),s([a()],m.prototype,`isPlaying`,void 0),s([a()],m.prototype,`position`,void 0),s([a()],m.prototype,`error`,void 0),m=s([t(`visavis-library`)],m);