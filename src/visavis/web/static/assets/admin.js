/* empty css    */import{a as e,c as t,f as n,h as r,l as i,n as a,o,t as s,u as c}from"./decorate.js";import{n as l}from"./format.js";import{n as u,t as d}from"./session.js";var f=`/v4/livechat/audioVideoChatConfig`,p=`/v4/global/auditLogs`,m=10,h=[`isEnabled`,`isAutomaticallyRecordingAudioVideoChatsEnabled`,`recordingServerUrl`],g={isEnabled:`switch`,isAutomaticallyRecordingAudioVideoChatsEnabled:`automaticRecording`,recordingServerUrl:`recordingServer`},_=(e,t)=>h.every(n=>e[n]===t[n]),v=class extends i{constructor(...e){super(...e),this.errors={},this.failure=``,this.status=``,this.isSaving=!1,this.log=[],this.logPage=1,this.hasOlder=!1}static{this.styles=[a,r`
      header { display: flex; flex-wrap: wrap; gap: 0.5rem 1.25rem; align-items: center; padding: 0.75rem 1.25rem; border-bottom: 1px solid var(--line); background: var(--card); }
      header strong { margin-right: auto; }
      a { color: var(--accent); }
      main { max-width: 46rem; margin: 0 auto; padding: 1.5rem 1.25rem 4rem; display: grid; gap: 1.25rem; }
      .row { display: flex; gap: 1rem; align-items: flex-start; justify-content: space-between; padding: 1rem 0; border-top: 1px solid var(--line); }
      .row label, .field label { font-weight: 600; }
      .row p, .field p { margin: 0.15rem 0 0; }
      input[role="switch"] { appearance: none; flex: none; width: 3rem; height: 1.7rem; margin: 0.15rem 0 0; border-radius: 999px; background: var(--quiet); position: relative; cursor: pointer; transition: background 0.15s; }
      input[role="switch"]::after { content: ""; position: absolute; inset: 0.2rem auto 0.2rem 0.2rem; width: 1.3rem; border-radius: 50%; background: var(--card); transition: translate 0.15s; }
      input[role="switch"]:checked { background: var(--accent); }
      input[role="switch"]:checked::after { translate: 1.3rem; }
      .field { padding: 1rem 0; border-top: 1px solid var(--line); }
      .field input { display: block; width: 100%; font: inherit; padding: 0.6rem; margin-top: 0.4rem; border-radius: 8px; border: 1px solid var(--quiet); background: transparent; color: inherit; }
      .field input[aria-invalid="true"] { border-color: var(--danger); }
      .bar { display: flex; flex-wrap: wrap; gap: 0.75rem; align-items: center; padding-top: 1rem; border-top: 1px solid var(--line); }
      button:disabled { opacity: 0.45; cursor: default; }
      .status { margin: 0; min-height: 1.45em; }
      .conflict { border-color: var(--danger); }
      .scroll { overflow-x: auto; }
      table { border-collapse: collapse; width: 100%; margin-bottom: 1rem; }
      th, td { text-align: left; padding: 0.5rem 0.75rem 0.5rem 0; border-bottom: 1px solid var(--line); overflow-wrap: anywhere; vertical-align: top; }
      @media (max-width: 30rem) {
        thead { display: none; }
        tr, th[scope="row"], td { display: block; border: 0; padding: 0.15rem 0; }
        td::before { content: attr(data-whose) ": "; color: var(--quiet); }
        tr { padding: 0.5rem 0; border-bottom: 1px solid var(--line); }
      }
      ol { list-style: none; margin: 0; padding: 0; }
      li { padding: 0.75rem 0; border-top: 1px solid var(--line); overflow-wrap: anywhere; }
      li p { margin: 0.15rem 0 0; }
      @media (prefers-reduced-motion: reduce) { * { transition: none !important; } }
    `]}async connectedCallback(){super.connectedCallback(),this.session=await d(),this.may(`Manage Settings`)&&(this.events=new EventSource(`${f}/events`),this.events.addEventListener(`config`,e=>this.hear(JSON.parse(e.data))),await this.readLog())}disconnectedCallback(){super.disconnectedCallback(),this.events?.close()}render(){return this.session?n`
      <header>
        <strong>Visavis · ${e(`settings`)}</strong>
        <a href="/console">${e(`console`)}</a><a href="/library">${e(`library`)}</a>
        <button @click=${()=>u()}>${e(`signOut`)}</button>
      </header>
      <main>${this.may(`Manage Settings`)?this.content():n`<p class="card" role="alert">${e(`mayNotManage`)}</p>`}</main>
    `:c}content(){return n`
      ${this.failure?n`<p class="error" role="alert">${this.failure}</p>`:c}
      ${this.theirs&&this.draft?this.conflict(this.theirs.config,this.draft):c}
      ${this.draft?this.form(this.draft):n`<p class="quiet">${e(`loading`)}</p>`}
      ${this.may(`View Audit Log`)?this.history():c}
    `}form(t){let r=(r,i)=>n`<div class="row">
      <div><label for=${r}>${e(g[r])}</label><p class="quiet" id="${r}-help">${e(i)}</p></div>
      <input type="checkbox" role="switch" id=${r} aria-describedby="${r}-help" .checked=${t[r]}
        @change=${e=>this.edit(r,e.target.checked)} />
    </div>`,i=this.errors.recordingServerUrl;return n`<form class="card" novalidate @submit=${this.submit}>
      <h1>${e(`callsAndRecording`)}</h1>
      ${r(`isEnabled`,`switchHelp`)}
      ${r(`isAutomaticallyRecordingAudioVideoChatsEnabled`,`automaticRecordingHelp`)}
      <div class="field">
        <label for="recordingServerUrl">${e(`recordingServer`)}</label>
        <p class="quiet" id="url-help">${e(`recordingServerHelp`)}</p>
        <input id="recordingServerUrl" type="url" inputmode="url" autocomplete="off" spellcheck="false" .value=${t.recordingServerUrl}
          aria-invalid=${i?`true`:`false`} aria-describedby="url-help url-error"
          @input=${e=>this.edit(`recordingServerUrl`,e.target.value)} />
        <p class="error" id="url-error">${i??c}</p>
      </div>
      <div class="bar">
        <button class="primary" ?disabled=${!this.isEdited||this.isSaving}>${e(`save`)}</button>
        <button type="button" ?disabled=${!this.isEdited||this.isSaving} @click=${()=>this.discard()}>${e(`discard`)}</button>
        <p class="status quiet" role="status">${this.status}</p>
      </div>
    </form>`}conflict(t,r){let i=h.filter(e=>t[e]!==r[e]).map(i=>n`<tr><th scope="row">${e(g[i])}</th><td data-whose=${e(`yours`)}>${S(r[i])}</td><td data-whose=${e(`theirs`)}>${S(t[i])}</td></tr>`);return n`<section class="card conflict" role="alert" aria-labelledby="conflict-title">
      <h2 id="conflict-title">${e(`conflict`)}</h2>
      <p>${e(`conflictHelp`)}</p>
      <table>
        <thead><tr><td></td><th scope="col">${e(`yours`)}</th><th scope="col">${e(`theirs`)}</th></tr></thead>
        <tbody>${i}</tbody>
      </table>
      <div class="bar">
        <button class="primary" @click=${this.keepMine}>${e(`keepMine`)}</button>
        <button @click=${this.takeTheirs}>${e(`takeTheirs`)}</button>
      </div>
    </section>`}history(){return n`<section class="card" aria-labelledby="history-title">
      <h2 id="history-title">${e(`history`)}</h2>
      ${this.log.length?n`<ol>${this.log.map(t=>n`<li>
      <span title=${t.createTime}>${l(t.createTime)}</span> · ${t.agentEmail||e(`commandLine`)}
      ${t.actionDetails.map(e=>n`<p class="quiet">${x(e.fieldName)}: ${C(e.oldValue)} → ${C(e.newValue)}</p>`)}
    </li>`)}</ol>`:n`<p class="quiet">${e(`noHistory`)}</p>`}
      ${this.hasOlder?n`<button @click=${()=>this.readLog(this.logPage+1)}>${e(`older`)}</button>`:c}
    </section>`}may(e){return this.session?.permissions.includes(e)??!1}get isEdited(){return!!this.saved&&!!this.draft&&!_(this.saved.config,this.draft)}edit(e,t){this.draft&&(this.draft={...this.draft,[e]:t},this.errors={},this.status=``)}discard(){this.saved&&this.accept(this.saved)}hear(t){if(t.etag===this.saved?.etag||this.isSaving)return;let n=!this.saved;this.isEdited&&this.draft&&!_(this.draft,t.config)?this.theirs=t:(this.accept(t),this.status=n?``:e(`changedElsewhere`)),n||this.readLog()}accept(e){this.saved=e,this.draft={...e.config},this.theirs=void 0,this.errors={},this.failure=``}takeTheirs(){this.theirs&&(this.accept(this.theirs),this.status=e(`tookTheirs`))}async keepMine(){this.theirs&&(this.saved=this.theirs,this.theirs=void 0,await this.save())}async submit(e){e.preventDefault(),this.isEdited&&await this.save()}async save(){if(this.saved&&this.draft){this.isSaving=!0,this.status=e(`saving`),this.failure=``;try{let e={"Content-Type":`application/json`,"If-Match":this.saved.etag};await this.saveAnswered(await fetch(f,{method:`PUT`,headers:e,body:JSON.stringify(this.draft)}))}catch{this.fail(e(`saveFailed`))}finally{this.isSaving=!1}}}async saveAnswered(t){if(t.ok)return this.accept(await y(t)),this.status=e(`saved`),this.readLog();if(t.status===412){this.theirs=await y(await fetch(f)),this.status=``;return}t.status===401&&await d();let n=await t.json(),r=h.find(e=>n.pointer===`/${e}`);if(!r)return this.fail(n.message);this.errors={[r]:b(n,this.draft?.recordingServerUrl??``)},this.status=e(`notSaved`),this.renderRoot.querySelector(`#${r}`)?.focus()}fail(e){this.failure=e,this.status=``}async readLog(e=1){if(!this.may(`View Audit Log`))return;let t=await fetch(`${p}?pageIndex=${e}&pageSize=${m}`);if(!t.ok)return;let n=await t.json();this.log=e===1?n.auditLogs:[...this.log,...n.auditLogs],this.logPage=e,this.hasOlder=n.nextPage!==``}};s([o()],v.prototype,`session`,void 0),s([o()],v.prototype,`saved`,void 0),s([o()],v.prototype,`draft`,void 0),s([o()],v.prototype,`theirs`,void 0),s([o()],v.prototype,`errors`,void 0),s([o()],v.prototype,`failure`,void 0),s([o()],v.prototype,`status`,void 0),s([o()],v.prototype,`isSaving`,void 0),s([o()],v.prototype,`log`,void 0),s([o()],v.prototype,`logPage`,void 0),s([o()],v.prototype,`hasOlder`,void 0),v=s([t(`visavis-admin`)],v);var y=async e=>({config:await e.json(),etag:e.headers.get(`ETag`)??``}),b=(t,n)=>n?t.error===`ParameterStringLengthExceed`?e(`urlTooLong`):t.error===`ParameterFormatIncorrect`?e(`urlWrong`):e(`urlWithPassword`):e(`urlNeeded`),x=t=>t in g?e(g[t]):t,S=e=>C(String(e)),C=t=>t===`true`?e(`on`):t===`false`?e(`off`):t||e(`none`);