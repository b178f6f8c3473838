/* empty css    */import{a as e,c as t,d as n,i as r,l as i,n as a,s as o,t as s,u as c}from"./decorate.js";import{n as l,r as u,t as d}from"./format.js";import{t as f}from"./session.js";var p=.05,m=class extends t{constructor(...e){super(...e),this.isPlaying=!1,this.position=0,this.error=``}static{this.styles=[a,n`
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
    `]}async connectedCallback(){super.connectedCallback(),await f();let e=await fetch(`/library/recordings`),t=await e.json();e.ok?this.recordings=t.recordings:this.error=t.message??r(`loadFailed`)}render(){return c`
      <header><strong>Visavis · ${r(`library`)}</strong><a href="/console">${r(`console`)}</a><a href="/admin">${r(`settings`)}</a></header>
      <main>
        ${this.error?c`<p class="error" role="alert">${this.error}</p>`:i}
        ${this.selected?this.player(this.selected):i}
        <section class="card">
          <h1>${r(`recordings`)}</h1>
          ${this.recordings?.length===0?c`<p class="quiet">${r(`noRecordings`)}</p>`:i}
          ${this.recordings?.length?this.table(this.recordings):i}
        </section>
      </main>
    `}table(e){let t=[r(`date`),r(`visitor`),r(`agent`),r(`kind`),r(`length`),r(`size`)];return c`<div class="scroll" tabindex="0" role="region" aria-label=${r(`recordings`)}>
      <table>
        <thead><tr>${t.map(e=>c`<th scope="col">${e}</th>`)}<td></td></tr></thead>
        <tbody>
          ${e.map(e=>c`<tr>
              <td>${l(e.startedAt)}</td>
              <td>${e.visitorName||r(`aVisitor`)}</td>
              <td>${e.agentName}</td>
              <td>${r(e.media===`video`?`videoCall`:`audioCall`)}</td>
              <td>${d(e.duration)}</td>
              <td>${u(e.size)}</td>
              <td><button data-play @click=${()=>this.select(e)}>${r(`play`)}</button></td>
            </tr>`)}
        </tbody>
      </table>
    </div>`}player(e){let t=(t,n)=>c`<figure>
      <video data-side=${t} playsinline preload="auto" src="/library/recordings/${e.id}/${t}.webm"
        aria-label=${n} @timeupdate=${this.follow} @ended=${()=>this.pause()}></video>
      <figcaption>${n}</figcaption>
    </figure>`;return c`<section class="card" aria-label=${l(e.startedAt)}>
      <div class="sides">
        ${t(`visitor`,e.visitorName||r(`aVisitor`))} ${t(`agent`,e.agentName||r(`agent`))}
      </div>
      <div class="bar">
        <button class="primary" id="play" @click=${this.toggle}>${r(this.isPlaying?`pause`:`play`)}</button>
        <input type="range" aria-label=${r(`position`)} min="0" max=${e.duration} step="0.1" .value=${String(this.position)} @input=${this.seek} />
        <span class="time">${d(this.position)} / ${d(e.duration)}</span>
        <a href="/library/recordings/${e.id}/original.mkv" download>${r(`download`)}</a>
      </div>
    </section>`}select(e){this.pause(),this.position=0,this.selected=e}get videos(){return[...this.renderRoot.querySelectorAll(`video`)]}async toggle(){if(this.isPlaying)return this.pause();this.isPlaying=!0;try{await Promise.all(this.videos.map(e=>e.play()))}catch{this.error=r(`loadFailed`),this.pause()}}pause(){this.isPlaying=!1,this.videos.forEach(e=>e.pause())}seek(e){this.position=Number(e.target.value),this.videos.forEach(e=>e.currentTime=this.position)}follow(){let[e,t]=this.videos;if(!e||!t)return;this.position=e.currentTime;let n=Math.abs(e.currentTime-t.currentTime);this.isPlaying&&n>p&&(t.currentTime=e.currentTime)}};s([e()],m.prototype,`recordings`,void 0),s([e()],m.prototype,`selected`,void 0),s([e()],m.prototype,`isPlaying`,void 0),s([e()],m.prototype,`position`,void 0),s([e()],m.prototype,`error`,void 0),m=s([o(`visavis-library`)],m);