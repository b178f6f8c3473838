/* empty css    */import{a as e,c as t,d as n,i as r,l as i,n as a,p as o,s,t as c}from"./decorate.js";import{n as l}from"./format.js";import{n as u,t as d}from"./session.js";var f=`/v4/livechat/audioVideoChatConfig`,p=`/v4/global/auditLogs`,m=10,h=[`isEnabled`,`isAutomaticallyRecordingAudioVideoChatsEnabled`,`recordingServerUrl`],g={isEnabled:`switch`,isAutomaticallyRecordingAudioVideoChatsEnabled:`automaticRecording`,recordingServerUrl:`recordingServer`},_=(e,t)=>h.every(n=>e[n]===t[n]),v=class extends t{constructor(...e){super(...e),this.errors={},this.failure=``,this.status=``,this.isSaving=!1,this.log=[],this.logPage=1,this.hasOlder=!1}static{this.styles=[a,o`
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
        <strong>Visavis · ${r(`settings`)}</strong>
        <a href="/console">${r(`console`)}</a><a href="/library">${r(`library`)}</a>
        <button @click=${()=>u()}>${r(`signOut`)}</button>
      </header>
      <main>${this.may(`Manage Settings`)?this.content():n`<p class="card" role="alert">${r(`mayNotManage`)}</p>`}</main>
    `:i}content(){return n`
      ${this.failure?n`<p class="error" role="alert">${this.failure}</p>`:i}
      ${this.theirs&&this.draft?this.conflict(this.theirs.config,this.draft):i}
      ${this.draft?this.form(this.draft):n`<p class="quiet">${r(`loading`)}</p>`}
      ${this.may(`View Audit Log`)?this.history():i}
    `}form(e){let t=(t,i)=>n`<div class="row">
      <div><label for=${t}>${r(g[t])}</label><p class="quiet" id="${t}-help">${r(i)}</p></div>
      <input type="checkbox" role="switch" id=${t} aria-describedby="${t}-help" .checked=${e[t]}
        @change=${e=>this.edit(t,e.target.checked)} />
    </div>`,a=this.errors.recordingServerUrl;return n`<form class="card" novalidate @submit=${this.submit}>
      <h1>${r(`callsAndRecording`)}</h1>
      ${t(`isEnabled`,`switchHelp`)}
      ${t(`isAutomaticallyRecordingAudioVideoChatsEnabled`,`automaticRecordingHelp`)}
      <div class="field">
        <label for="recordingServerUrl">${r(`recordingServer`)}</label>
        <p class="quiet" id="url-help">${r(`recordingServerHelp`)}</p>
        <input id="recordingServerUrl" type="url" inputmode="url" autocomplete="off" spellcheck="false" .value=${e.recordingServerUrl}
          aria-invalid=${a?`true`:`false`} aria-describedby="url-help url-error"
          @input=${e=>this.edit(`recordingServerUrl`,e.target.value)} />
        <p class="error" id="url-error">${a??i}</p>
      </div>
      <div class="bar">
        <button class="primary" ?disabled=${!this.isEdited||this.isSaving}>${r(`save`)}</button>
        <button type="button" ?disabled=${!this.isEdited||this.isSaving} @click=${()=>this.discard()}>${r(`discard`)}</button>
        <p class="status quiet" role="status">${this.status}</p>
      </div>
    </form>`}conflict(e,t){let i=h.filter(n=>e[n]!==t[n]).map(i=>n`<tr><th scope="row">${r(g[i])}</th><td data-whose=${r(`yours`)}>${S(t[i])}</td><td data-whose=${r(`theirs`)}>${S(e[i])}</td></tr>`);return n`<section class="card conflict" role="alert" aria-labelledby="conflict-title">
      <h2 id="conflict-title">${r(`conflict`)}</h2>
      <p>${r(`conflictHelp`)}</p>
      <table>
        <thead><tr><td></td><th scope="col">${r(`yours`)}</th><th scope="col">${r(`theirs`)}</th></tr></thead>
        <tbody>${i}</tbody>
      </table>
      <div class="bar">
        <button class="primary" @click=${this.keepMine}>${r(`keepMine`)}</button>
        <button @click=${this.takeTheirs}>${r(`takeTheirs`)}</button>
      </div>
    </section>`}history(){return n`<section class="card" aria-labelledby="history-title">
      <h2 id="history-title">${r(`history`)}</h2>
      ${this.log.length?n`<ol>${this.log.map(e=>n`<li>
      <span title=${e.createTime}>${l(e.createTime)}</span> · ${e.agentEmail||r(`commandLine`)}
      ${e.actionDetails.map(e=>n`<p class="quiet">${x(e.fieldName)}: ${C(e.oldValue)} → ${C(e.newValue)}</p>`)}
    </li>`)}</ol>`:n`<p class="quiet">${r(`noHistory`)}</p>`}
      ${this.hasOlder?n`<button @click=${()=>this.readLog(this.logPage+1)}>${r(`older`)}</button>`:i}
    </section>`}may(e){return this.session?.permissions.includes(e)??!1}get isEdited(){return!!this.saved&&!!this.draft&&!_(this.saved.config,this.draft)}edit(e,t){this.draft&&(this.draft={...this.draft,[e]:t},this.errors={},this.status=``)}discard(){this.saved&&this.accept(this.saved)}hear(e){if(e.etag===this.saved?.etag||this.isSaving)return;let t=!this.saved;this.isEdited&&this.draft&&!_(this.draft,e.config)?this.theirs=e:(this.accept(e),this.status=t?``:r(`changedElsewhere`)),t||this.readLog()}accept(e){this.saved=e,this.draft={...e.config},this.theirs=void 0,this.errors={},this.failure=``}takeTheirs(){this.theirs&&(this.accept(this.theirs),this.status=r(`tookTheirs`))}async keepMine(){this.theirs&&(this.saved=this.theirs,this.theirs=void 0,await this.save())}async submit(e){e.preventDefault(),this.isEdited&&await this.save()}async save(){if(this.saved&&this.draft){this.isSaving=!0,this.status=r(`saving`),this.failure=``;try{let e={"Content-Type":`application/json`,"If-Match":this.saved.etag};await this.saveAnswered(await fetch(f,{method:`PUT`,headers:e,body:JSON.stringify(this.draft)}))}catch{this.fail(r(`saveFailed`))}finally{this.isSaving=!1}}}async saveAnswered(e){if(e.ok)return this.accept(await y(e)),this.status=r(`saved`),this.readLog();if(e.status===412){this.theirs=await y(await fetch(f)),this.status=``;return}e.status===401&&await d();let t=await e.json(),n=h.find(e=>t.pointer===`/${e}`);if(!n)return this.fail(t.message);this.errors={[n]:b(t,this.draft?.recordingServerUrl??``)},this.status=r(`notSaved`),this.renderRoot.querySelector(`#${n}`)?.focus()}fail(e){this.failure=e,this.status=``}async readLog(e=1){if(!this.may(`View Audit Log`))return;let t=await fetch(`${p}?pageIndex=${e}&pageSize=${m}`);if(!t.ok)return;let n=await t.json();this.log=e===1?n.auditLogs:[...this.log,...n.auditLogs],this.logPage=e,this.hasOlder=n.nextPage!==``}};c([e()],v.prototype,`session`,void 0),c([e()],v.prototype,`saved`,void 0),c([e()],v.prototype,`draft`,void 0),c([e()],v.prototype,`theirs`,void 0),c([e()],v.prototype,`errors`,void 0),c([e()],v.prototype,`failure`,void 0),c([e()],v.prototype,`status`,void 0),c([e()],v.prototype,`isSaving`,void 0),c([e()],v.prototype,`log`,void 0),c([e()],v.prototype,`logPage`,void 0),c([e()],v.prototype,`hasOlder`,void 0),v=c([s(`visavis-admin`)],v);var y=async e=>({config:await e.json(),etag:e.headers.get(`ETag`)??``}),b=(e,t)=>t?e.error===`ParameterStringLengthExceed`?r(`urlTooLong`):e.error===`ParameterFormatIncorrect`?r(`urlWrong`):r(`urlWithPassword`):r(`urlNeeded`),x=e=>e in g?r(g[e]):e,S=e=>C(String(e)),C=e=>e===`true`?r(`on`):e===`false`?r(`off`):e||r(`none`);