/* empty css             */import{_ as e,a as t,c as n,d as r,f as i,l as a,m as o,n as s,t as c,u as l}from"./decorate-oRg8hAOt.js";import{n as u,r as d}from"./format-DdnngG-R.js";import{n as f,t as p}from"./session-BWOSUMWK.js";import{t as m}from"./live-CuiqW961.js";import{t as h}from"./icons-D_4i3jb9.js";var g=`/v4/livechat/recordings?state=undelivered&pageSize=5`,_=5e3,v=2e4,y={waiting:`recordingWaits`,muxing:`recordingIsMade`,delivering:`recordingIsSent`,failed:`recordingFailed`},b=class extends r{constructor(...e){super(...e),this.hasFailed=!1,this.timer=0}static{this.styles=[s,e`
      :host { display: block; }
      dl { display: grid; grid-template-columns: minmax(8rem, max-content) 1fr; gap: 0.4rem 1rem; margin: 0; }
      dt { font-weight: 600; }
      dd { margin: 0; overflow-wrap: anywhere; }
      ol { list-style: none; margin: 1rem 0 0; padding: 0; }
      li { padding: 0.6rem 0; border-top: 1px solid var(--line); overflow-wrap: anywhere; }
      li p { margin: 0.15rem 0 0; }
      @media (max-width: 30rem) { dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: 0.6rem; } }
    `]}connectedCallback(){super.connectedCallback(),this.follow()}disconnectedCallback(){super.disconnectedCallback(),clearTimeout(this.timer)}render(){return o`<section class="card" aria-labelledby="delivery-title">
      <h2 id="delivery-title">${t(`delivery`)}</h2>
      ${this.hasFailed?o`<p class="error">${t(`loadFailed`)}</p>`:i}
      ${this.backlog?this.facts(this.backlog):o`<p class="quiet">${t(`loading`)}</p>`}
    </section>`}facts(e){let{pending:n,failed:r,incomplete:a,missing:s,oldestPending:c,lastSuccess:l,lastError:d,lastErrorTime:f}=e,p=c?` (${t(`oldestSince`)} ${u(c)})`:``;return o`
      <dl>
        <dt>${t(`backlog`)}</dt><dd id="backlog">${n?`${n}${p}`:t(`nothingWaits`)}</dd>
        ${r?o`<dt>${t(`recordingFailed`)}</dt><dd class="error">${r}: ${t(`failedHelp`)}</dd>`:i}
        ${a?o`<dt>${t(`incompleteRecordings`)}</dt><dd class="warn">${a}: ${t(`incompleteHelp`)}</dd>`:i}
        ${s?o`<dt>${t(`missingRecordings`)}</dt><dd class="warn">${s}: ${t(`missingHelp`)}</dd>`:i}
        <dt>${t(`lastSuccess`)}</dt><dd id="last-success">${l?u(l):t(`neverYet`)}</dd>
        <dt>${t(`lastError`)}</dt><dd id="last-error" class=${d?`error`:``}>${d?`${x(f)}${d}`:t(`none`)}</dd>
      </dl>
      ${e.recordings.length?o`<ol aria-label=${t(`underWay`)}>${e.recordings.map(S)}</ol>`:i}
    `}async follow(){document.hidden||await this.load(),this.isConnected&&(this.timer=window.setTimeout(()=>void this.follow(),this.backlog?.pending?_:v))}async load(){try{let e=await fetch(g);this.hasFailed=!e.ok,e.ok&&(this.backlog=await e.json())}catch{this.hasFailed=!0}}};c([n()],b.prototype,`backlog`,void 0),c([n()],b.prototype,`hasFailed`,void 0),b=c([l(`visavis-delivery`)],b);var x=e=>e?`${u(e)}: `:``,S=e=>{let n=e.size?` · ${d(e.uploaded)} ${t(`of`)} ${d(e.size)}`:``,r=e.nextTryAt?` · ${t(`nextTry`)} ${u(e.nextTryAt)}`:``;return o`<li>${u(e.startedAt)} · ${t(y[e.state])}${n}${r}
    ${e.lastError?o`<p class="error small">${e.lastError}</p>`:i}</li>`},C=`/v4/livechat/recordingPolicy`,w={consent:`consent`,unrecordable:`unrecordable`,retentionDays:`retention`,secret:`secret`},T={notice:`consentNotice`,agreement:`consentAgreement`,refuse:`unrecordableRefuse`,continue:`unrecordableContinue`},E={consent:[`notice`,`agreement`],unrecordable:[`refuse`,`continue`]},D=class extends r{constructor(...e){super(...e),this.etag=``,this.days=``,this.secret=``,this.status=``,this.isSaving=!1}static{this.styles=[s,e`
      :host { display: block; }
      form { display: grid; gap: 1rem; }
      .field p { margin: 0; font-weight: 400; }
      .bar { display: flex; flex-wrap: wrap; gap: 0.75rem; align-items: center; }
      .bar p { margin: 0; }
    `]}connectedCallback(){super.connectedCallback(),this.read()}render(){return o`<form class="card" novalidate aria-labelledby="policy-title" @submit=${this.submit}>
      <h2 id="policy-title">${t(`recordingPolicy`)}</h2>
      ${this.policy?this.fields(this.policy):o`<p class="quiet">${t(`loading`)}</p>`}
    </form>`}fields(e){return o`
      ${this.choice(`consent`,e,`consentHelp`)}
      ${this.choice(`unrecordable`,e,`unrecordableHelp`)}
      ${this.text(`retentionDays`,`retention`,`retentionHelp`,o`<input id="retentionDays" inputmode="numeric" autocomplete="off" .value=${m(this.days)}
        aria-invalid=${this.isWrong(`retentionDays`)} aria-describedby="retentionDays-help retentionDays-error"
        @input=${e=>this.days=this.typed(e)} />`)}
      ${this.text(`secret`,`secret`,e.hasSecret?`secretSet`:`secretNone`,o`<input id="secret" type="password" autocomplete="new-password" .value=${m(this.secret)}
        aria-invalid=${this.isWrong(`secret`)} aria-describedby="secret-help secret-error"
        @input=${e=>this.secret=this.typed(e)} />`)}
      <div class="bar">
        <button class="primary" ?disabled=${this.isSaving}>${t(`apply`)}</button>
        ${e.hasSecret?o`<button type="button" ?disabled=${this.isSaving} @click=${()=>this.put({secret:null})}>${t(`forgetSecret`)}</button>`:i}
        <p aria-live="polite" class=${this.problem?`error`:`quiet`}>${this.status}</p>
      </div>
    `}choice(e,n,r){return o`<div class="field">
      <label for=${e}>${t(w[e])}</label>
      <p class="quiet" id="${e}-help">${t(r)}</p>
      <select id=${e} aria-describedby="${e}-help" @change=${t=>this.policy={...n,[e]:this.typed(t)}}>
        ${E[e].map(r=>o`<option value=${r} .selected=${n[e]===r}>${t(T[r])}</option>`)}
      </select>
    </div>`}text(e,n,r,a){return o`<div class="field">
      <label for=${e}>${t(n)}</label>
      <p class="quiet" id="${e}-help">${t(r)}</p>
      ${a}
      <p class="error" id="${e}-error">${this.isWrong(e)===`true`?this.problem?.message:i}</p>
    </div>`}isWrong(e){return this.problem?.pointer===`/${e}`?`true`:`false`}typed(e){return this.status=``,this.problem=void 0,e.target.value}async submit(e){if(e.preventDefault(),!this.policy)return;let{consent:t,unrecordable:n}=this.policy,r=this.days.trim(),i=r===``?null:/^\d+$/.test(r)?Number(r):r;await this.put({consent:t,unrecordable:n,retentionDays:i,...this.secret?{secret:this.secret}:{}})}async put(e){this.isSaving=!0,this.problem=void 0;try{let t={"Content-Type":`application/json`,"If-Match":this.etag};await this.answered(await fetch(C,{method:`PUT`,headers:t,body:JSON.stringify(e)}))}catch{this.fail({message:t(`saveFailed`)})}finally{this.isSaving=!1}}async answered(e){e.ok?(await this.accept(e),this.status=t(`policySaved`),this.dispatchEvent(new Event(`saved`))):e.status===412?(await this.read(),this.fail({message:t(`policyChanged`)})):this.fail(await e.json())}fail(e){this.problem=e,this.status=e.pointer?t(`notSaved`):e.message,e.pointer&&this.renderRoot.querySelector(`#${e.pointer.slice(1)}`)?.focus()}async read(){let e=await fetch(C);e.ok&&await this.accept(e)}async accept(e){this.policy=await e.json(),this.etag=e.headers.get(`ETag`)??``,this.days=this.policy.retentionDays===null?``:String(this.policy.retentionDays),this.secret=``}};c([n()],D.prototype,`policy`,void 0),c([n()],D.prototype,`etag`,void 0),c([n()],D.prototype,`days`,void 0),c([n()],D.prototype,`secret`,void 0),c([n()],D.prototype,`status`,void 0),c([n()],D.prototype,`problem`,void 0),c([n()],D.prototype,`isSaving`,void 0),D=c([l(`visavis-policy`)],D);var O=`/v4/livechat/audioVideoChatConfig:testRecordingServer`,k=class extends r{constructor(...e){super(...e),this.url=``,this.isTrying=!1}static{this.styles=[s,e`
      :host { display: block; margin-top: 0.6rem; }
      p { margin: 0.4rem 0 0; overflow-wrap: anywhere; }
    `]}willUpdate(e){e.has(`url`)&&(this.verdict=void 0)}render(){return o`
      <button type="button" ?disabled=${this.isTrying||!this.url} @click=${this.tryOut}>${t(`testRecordingServer`)}</button>
      <div aria-live="polite">${this.outcome()}</div>
    `}outcome(){if(this.isTrying)return o`<p class="quiet">${t(`trying`)}</p>`;if(!this.verdict)return i;let{ok:e,message:n}=this.verdict;return o`<p class="line ${e?`good`:`error`}" id="verdict">${h(e?`good`:`warning`,18)} ${n}</p>`}async tryOut(){let{url:e}=this;this.isTrying=!0;let t=await A(e);this.isTrying=!1,e===this.url&&(this.verdict=t)}};c([a()],k.prototype,`url`,void 0),c([n()],k.prototype,`verdict`,void 0),c([n()],k.prototype,`isTrying`,void 0),k=c([l(`visavis-trial`)],k);var A=async e=>{try{let{ok:n=!1,message:r}=await(await fetch(O,{method:`POST`,headers:{"Content-Type":`application/json`},body:JSON.stringify({recordingServerUrl:e})})).json();return{ok:n,message:r??t(`loadFailed`)}}catch{return{ok:!1,message:t(`loadFailed`)}}},j=`/v4/livechat/audioVideoChatConfig`,M=`/v4/global/auditLogs`,N=10,P=[`isEnabled`,`isAutomaticallyRecordingAudioVideoChatsEnabled`,`recordingServerUrl`],F={isEnabled:`switch`,isAutomaticallyRecordingAudioVideoChatsEnabled:`automaticRecording`,recordingServerUrl:`recordingServer`},I={true:`on`,false:`off`,...T},L={recordingPlayed:`played`,recordingDownloaded:`downloaded`,recordingComposed:`composed`,recordingHeld:`held`,recordingReleased:`released`,recordingDeleted:`deleted`},R=(e,t)=>P.every(n=>e[n]===t[n]),z=class extends r{constructor(...e){super(...e),this.errors={},this.failure=``,this.status=``,this.isSaving=!1,this.log=[],this.logPage=1,this.hasOlder=!1}static{this.styles=[s,e`
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
      .field { padding: 1rem 0; border-top: 1px solid var(--line); font-weight: 400; }
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
    `]}async connectedCallback(){super.connectedCallback(),this.session=await p(),this.may(`Manage Settings`)&&(this.events=new EventSource(`${j}/events`),this.events.addEventListener(`config`,e=>this.hear(JSON.parse(e.data))),await this.readLog())}disconnectedCallback(){super.disconnectedCallback(),this.events?.close()}render(){return this.session?o`
      <header>
        <strong>Visavis · ${t(`settings`)}</strong>
        <a href="/console">${t(`console`)}</a><a href="/library">${t(`library`)}</a>
        <button @click=${()=>f()}>${t(`signOut`)}</button>
      </header>
      <main>${this.may(`Manage Settings`)?this.content():o`<p class="card" role="alert">${t(`mayNotManage`)}</p>`}</main>
    `:i}content(){return o`
      ${this.failure?o`<p class="error" role="alert">${this.failure}</p>`:i}
      ${this.theirs&&this.draft?this.conflict(this.theirs.config,this.draft):i}
      ${this.draft?this.form(this.draft):o`<p class="quiet">${t(`loading`)}</p>`}
      <visavis-delivery></visavis-delivery>
      <visavis-policy @saved=${()=>this.readLog()}></visavis-policy>
      ${this.may(`View Audit Log`)?this.history():i}
    `}form(e){let n=(n,r)=>o`<div class="row">
      <div><label for=${n}>${t(F[n])}</label><p class="quiet" id="${n}-help">${t(r)}</p></div>
      <input type="checkbox" role="switch" id=${n} aria-describedby="${n}-help" .checked=${e[n]}
        @change=${e=>this.edit(n,e.target.checked)} />
    </div>`,r=this.errors.recordingServerUrl;return o`<form class="card" novalidate @submit=${this.submit}>
      <h1>${t(`callsAndRecording`)}</h1>
      ${n(`isEnabled`,`switchHelp`)}
      ${n(`isAutomaticallyRecordingAudioVideoChatsEnabled`,`automaticRecordingHelp`)}
      <div class="field">
        <label for="recordingServerUrl">${t(`recordingServer`)}</label>
        <p class="quiet" id="url-help">${t(`recordingServerHelp`)}</p>
        <input id="recordingServerUrl" type="url" inputmode="url" autocomplete="off" spellcheck="false" .value=${e.recordingServerUrl}
          aria-invalid=${r?`true`:`false`} aria-describedby="url-help url-error"
          @input=${e=>this.edit(`recordingServerUrl`,e.target.value)} />
        <p class="error" id="url-error">${r??i}</p>
        <visavis-trial .url=${e.recordingServerUrl}></visavis-trial>
      </div>
      <div class="bar">
        <button class="primary" ?disabled=${!this.isEdited||this.isSaving}>${t(`save`)}</button>
        <button type="button" ?disabled=${!this.isEdited||this.isSaving} @click=${()=>this.discard()}>${t(`discard`)}</button>
        <p class="status quiet" role="status">${this.status}</p>
      </div>
    </form>`}conflict(e,n){let r=P.filter(t=>e[t]!==n[t]).map(r=>o`<tr><th scope="row">${t(F[r])}</th><td data-whose=${t(`yours`)}>${G(n[r])}</td><td data-whose=${t(`theirs`)}>${G(e[r])}</td></tr>`);return o`<section class="card conflict" role="alert" aria-labelledby="conflict-title">
      <h2 id="conflict-title">${t(`conflict`)}</h2>
      <p>${t(`conflictHelp`)}</p>
      <table>
        <thead><tr><td></td><th scope="col">${t(`yours`)}</th><th scope="col">${t(`theirs`)}</th></tr></thead>
        <tbody>${r}</tbody>
      </table>
      <div class="bar">
        <button class="primary" @click=${this.keepMine}>${t(`keepMine`)}</button>
        <button @click=${this.takeTheirs}>${t(`takeTheirs`)}</button>
      </div>
    </section>`}history(){return o`<section class="card" aria-labelledby="history-title">
      <h2 id="history-title">${t(`history`)}</h2>
      ${this.log.length?o`<ol>${this.log.map(e=>o`<li>
      <span title=${e.createTime}>${u(e.createTime)}</span> · ${e.agentEmail||t(L[e.actionType]?`byRetention`:`commandLine`)}
      ${H(e)}
    </li>`)}</ol>`:o`<p class="quiet">${t(`noHistory`)}</p>`}
      ${this.hasOlder?o`<button @click=${()=>this.readLog(this.logPage+1)}>${t(`older`)}</button>`:i}
    </section>`}may(e){return this.session?.permissions.includes(e)??!1}get isEdited(){return!!this.saved&&!!this.draft&&!R(this.saved.config,this.draft)}edit(e,t){this.draft&&(this.draft={...this.draft,[e]:t},this.errors={},this.status=``)}discard(){this.saved&&this.accept(this.saved)}hear(e){if(e.etag===this.saved?.etag||this.isSaving)return;let n=!this.saved;this.isEdited&&this.draft&&!R(this.draft,e.config)?this.theirs=e:(this.accept(e),this.status=n?``:t(`changedElsewhere`)),n||this.readLog()}accept(e){this.saved=e,this.draft={...e.config},this.theirs=void 0,this.errors={},this.failure=``}takeTheirs(){this.theirs&&(this.accept(this.theirs),this.status=t(`tookTheirs`))}async keepMine(){this.theirs&&(this.saved=this.theirs,this.theirs=void 0,await this.save())}async submit(e){e.preventDefault(),this.isEdited&&await this.save()}async save(){if(this.saved&&this.draft){this.isSaving=!0,this.status=t(`saving`),this.failure=``;try{let e={"Content-Type":`application/json`,"If-Match":this.saved.etag};await this.saveAnswered(await fetch(j,{method:`PUT`,headers:e,body:JSON.stringify(this.draft)}))}catch{this.fail(t(`saveFailed`))}finally{this.isSaving=!1}}}async saveAnswered(e){if(e.ok)return this.accept(await B(e)),this.status=t(`saved`),this.readLog();if(e.status===412){this.theirs=await B(await fetch(j)),this.status=``;return}e.status===401&&await p();let n=await e.json(),r=P.find(e=>n.pointer===`/${e}`);if(!r)return this.fail(n.message);this.errors={[r]:V(n,this.draft?.recordingServerUrl??``)},this.status=t(`notSaved`),this.renderRoot.querySelector(`#${r}`)?.focus()}fail(e){this.failure=e,this.status=``}async readLog(e=1){if(!this.may(`View Audit Log`))return;let t=await fetch(`${M}?pageIndex=${e}&pageSize=${N}`);if(!t.ok)return;let n=await t.json();this.log=e===1?n.auditLogs:[...this.log,...n.auditLogs],this.logPage=e,this.hasOlder=n.nextPage!==``}};c([n()],z.prototype,`session`,void 0),c([n()],z.prototype,`saved`,void 0),c([n()],z.prototype,`draft`,void 0),c([n()],z.prototype,`theirs`,void 0),c([n()],z.prototype,`errors`,void 0),c([n()],z.prototype,`failure`,void 0),c([n()],z.prototype,`status`,void 0),c([n()],z.prototype,`isSaving`,void 0),c([n()],z.prototype,`log`,void 0),c([n()],z.prototype,`logPage`,void 0),c([n()],z.prototype,`hasOlder`,void 0),z=c([l(`visavis-admin`)],z);var B=async e=>({config:await e.json(),etag:e.headers.get(`ETag`)??``}),V=(e,n)=>n?e.error===`ParameterStringLengthExceed`?t(`urlTooLong`):e.error===`ParameterFormatIncorrect`?t(`urlWrong`):t(`urlWithPassword`):t(`urlNeeded`),H=e=>{let n=L[e.actionType];return n?o`<p class="quiet">${t(n)}: ${U(e)}</p>`:e.actionDetails.map(e=>o`<p class="quiet">${W(e.fieldName)}: ${K(e.oldValue)} → ${K(e.newValue)}</p>`)},U=({actionDetails:e})=>{let{oldValue:t,newValue:n}=e.find(({fieldName:e})=>e===`recording`)??{oldValue:``,newValue:``};return n?o`<a href="/library?recording=${encodeURIComponent(n)}"><code>${n}</code></a>`:o`<code>${t}</code>`},W=e=>{let n={...F,...w}[e];return n?t(n):e},G=e=>K(String(e)),K=e=>{let n=I[e];return n?t(n):e||t(`none`)};