/* empty css    */import{a as e,c as t,f as n,h as r,l as i,n as a,o,s,t as c,u as l}from"./decorate.js";import{n as u,r as d}from"./format.js";import{n as f,t as p}from"./session.js";import{t as m}from"./live.js";import{t as h}from"./icons.js";var g=`/v4/livechat/recordings?state=undelivered&pageSize=5`,_=5e3,v=2e4,y={waiting:`recordingWaits`,muxing:`recordingIsMade`,delivering:`recordingIsSent`,failed:`recordingFailed`},b=class extends i{constructor(...e){super(...e),this.hasFailed=!1,this.timer=0}static{this.styles=[a,r`
      :host { display: block; }
      dl { display: grid; grid-template-columns: minmax(8rem, max-content) 1fr; gap: 0.4rem 1rem; margin: 0; }
      dt { font-weight: 600; }
      dd { margin: 0; overflow-wrap: anywhere; }
      ol { list-style: none; margin: 1rem 0 0; padding: 0; }
      li { padding: 0.6rem 0; border-top: 1px solid var(--line); overflow-wrap: anywhere; }
      li p { margin: 0.15rem 0 0; }
      @media (max-width: 30rem) { dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: 0.6rem; } }
    `]}connectedCallback(){super.connectedCallback(),this.follow()}disconnectedCallback(){super.disconnectedCallback(),clearTimeout(this.timer)}render(){return n`<section class="card" aria-labelledby="delivery-title">
      <h2 id="delivery-title">${e(`delivery`)}</h2>
      ${this.hasFailed?n`<p class="error">${e(`loadFailed`)}</p>`:l}
      ${this.backlog?this.facts(this.backlog):n`<p class="quiet">${e(`loading`)}</p>`}
    </section>`}facts(t){let{pending:r,failed:i,incomplete:a,missing:o,oldestPending:s,lastSuccess:c,lastError:d,lastErrorTime:f}=t,p=s?` (${e(`oldestSince`)} ${u(s)})`:``;return n`
      <dl>
        <dt>${e(`backlog`)}</dt><dd id="backlog">${r?`${r}${p}`:e(`nothingWaits`)}</dd>
        ${i?n`<dt>${e(`recordingFailed`)}</dt><dd class="error">${i}: ${e(`failedHelp`)}</dd>`:l}
        ${a?n`<dt>${e(`incompleteRecordings`)}</dt><dd class="warn">${a}: ${e(`incompleteHelp`)}</dd>`:l}
        ${o?n`<dt>${e(`missingRecordings`)}</dt><dd class="warn">${o}: ${e(`missingHelp`)}</dd>`:l}
        <dt>${e(`lastSuccess`)}</dt><dd id="last-success">${c?u(c):e(`neverYet`)}</dd>
        <dt>${e(`lastError`)}</dt><dd id="last-error" class=${d?`error`:``}>${d?`${x(f)}${d}`:e(`none`)}</dd>
      </dl>
      ${t.recordings.length?n`<ol aria-label=${e(`underWay`)}>${t.recordings.map(S)}</ol>`:l}
    `}async follow(){document.hidden||await this.load(),this.isConnected&&(this.timer=window.setTimeout(()=>void this.follow(),this.backlog?.pending?_:v))}async load(){try{let e=await fetch(g);this.hasFailed=!e.ok,e.ok&&(this.backlog=await e.json())}catch{this.hasFailed=!0}}};c([o()],b.prototype,`backlog`,void 0),c([o()],b.prototype,`hasFailed`,void 0),b=c([t(`visavis-delivery`)],b);var x=e=>e?`${u(e)}: `:``,S=t=>{let r=t.size?` · ${d(t.uploaded)} ${e(`of`)} ${d(t.size)}`:``,i=t.nextTryAt?` · ${e(`nextTry`)} ${u(t.nextTryAt)}`:``;return n`<li>${u(t.startedAt)} · ${e(y[t.state])}${r}${i}
    ${t.lastError?n`<p class="error small">${t.lastError}</p>`:l}</li>`},C=`/v4/livechat/recordingPolicy`,w={consent:`consent`,unrecordable:`unrecordable`,retentionDays:`retention`,secret:`secret`},T={notice:`consentNotice`,agreement:`consentAgreement`,refuse:`unrecordableRefuse`,continue:`unrecordableContinue`},E={consent:[`notice`,`agreement`],unrecordable:[`refuse`,`continue`]},D=class extends i{constructor(...e){super(...e),this.etag=``,this.days=``,this.secret=``,this.status=``,this.isSaving=!1}static{this.styles=[a,r`
      :host { display: block; }
      form { display: grid; gap: 1rem; }
      .field p { margin: 0; font-weight: 400; }
      .bar { display: flex; flex-wrap: wrap; gap: 0.75rem; align-items: center; }
      .bar p { margin: 0; }
    `]}connectedCallback(){super.connectedCallback(),this.read()}render(){return n`<form class="card" novalidate aria-labelledby="policy-title" @submit=${this.submit}>
      <h2 id="policy-title">${e(`recordingPolicy`)}</h2>
      ${this.policy?this.fields(this.policy):n`<p class="quiet">${e(`loading`)}</p>`}
    </form>`}fields(t){return n`
      ${this.choice(`consent`,t,`consentHelp`)}
      ${this.choice(`unrecordable`,t,`unrecordableHelp`)}
      ${this.text(`retentionDays`,`retention`,`retentionHelp`,n`<input id="retentionDays" inputmode="numeric" autocomplete="off" .value=${m(this.days)}
        aria-invalid=${this.isWrong(`retentionDays`)} aria-describedby="retentionDays-help retentionDays-error"
        @input=${e=>this.days=this.typed(e)} />`)}
      ${this.text(`secret`,`secret`,t.hasSecret?`secretSet`:`secretNone`,n`<input id="secret" type="password" autocomplete="new-password" .value=${m(this.secret)}
        aria-invalid=${this.isWrong(`secret`)} aria-describedby="secret-help secret-error"
        @input=${e=>this.secret=this.typed(e)} />`)}
      <div class="bar">
        <button class="primary" ?disabled=${this.isSaving}>${e(`apply`)}</button>
        ${t.hasSecret?n`<button type="button" ?disabled=${this.isSaving} @click=${()=>this.put({secret:null})}>${e(`forgetSecret`)}</button>`:l}
        <p aria-live="polite" class=${this.problem?`error`:`quiet`}>${this.status}</p>
      </div>
    `}choice(t,r,i){return n`<div class="field">
      <label for=${t}>${e(w[t])}</label>
      <p class="quiet" id="${t}-help">${e(i)}</p>
      <select id=${t} aria-describedby="${t}-help" @change=${e=>this.policy={...r,[t]:this.typed(e)}}>
        ${E[t].map(i=>n`<option value=${i} .selected=${r[t]===i}>${e(T[i])}</option>`)}
      </select>
    </div>`}text(t,r,i,a){return n`<div class="field">
      <label for=${t}>${e(r)}</label>
      <p class="quiet" id="${t}-help">${e(i)}</p>
      ${a}
      <p class="error" id="${t}-error">${this.isWrong(t)===`true`?this.problem?.message:l}</p>
    </div>`}isWrong(e){return this.problem?.pointer===`/${e}`?`true`:`false`}typed(e){return this.status=``,this.problem=void 0,e.target.value}async submit(e){if(e.preventDefault(),!this.policy)return;let{consent:t,unrecordable:n}=this.policy,r=this.days.trim(),i=r===``?null:/^\d+$/.test(r)?Number(r):r;await this.put({consent:t,unrecordable:n,retentionDays:i,...this.secret?{secret:this.secret}:{}})}async put(t){this.isSaving=!0,this.problem=void 0;try{let e={"Content-Type":`application/json`,"If-Match":this.etag};await this.answered(await fetch(C,{method:`PUT`,headers:e,body:JSON.stringify(t)}))}catch{this.fail({message:e(`saveFailed`)})}finally{this.isSaving=!1}}async answered(t){t.ok?(await this.accept(t),this.status=e(`policySaved`),this.dispatchEvent(new Event(`saved`))):t.status===412?(await this.read(),this.fail({message:e(`policyChanged`)})):this.fail(await t.json())}fail(t){this.problem=t,this.status=t.pointer?e(`notSaved`):t.message,t.pointer&&this.renderRoot.querySelector(`#${t.pointer.slice(1)}`)?.focus()}async read(){let e=await fetch(C);e.ok&&await this.accept(e)}async accept(e){this.policy=await e.json(),this.etag=e.headers.get(`ETag`)??``,this.days=this.policy.retentionDays===null?``:String(this.policy.retentionDays),this.secret=``}};c([o()],D.prototype,`policy`,void 0),c([o()],D.prototype,`etag`,void 0),c([o()],D.prototype,`days`,void 0),c([o()],D.prototype,`secret`,void 0),c([o()],D.prototype,`status`,void 0),c([o()],D.prototype,`problem`,void 0),c([o()],D.prototype,`isSaving`,void 0),D=c([t(`visavis-policy`)],D);var O=`/v4/livechat/audioVideoChatConfig:testRecordingServer`,k=class extends i{constructor(...e){super(...e),this.url=``,this.isTrying=!1}static{this.styles=[a,r`
      :host { display: block; margin-top: 0.6rem; }
      p { margin: 0.4rem 0 0; overflow-wrap: anywhere; }
    `]}willUpdate(e){e.has(`url`)&&(this.verdict=void 0)}render(){return n`
      <button type="button" ?disabled=${this.isTrying||!this.url} @click=${this.tryOut}>${e(`testRecordingServer`)}</button>
      <div aria-live="polite">${this.outcome()}</div>
    `}outcome(){if(this.isTrying)return n`<p class="quiet">${e(`trying`)}</p>`;if(!this.verdict)return l;let{ok:t,message:r}=this.verdict;return n`<p class="line ${t?`good`:`error`}" id="verdict">${h(t?`good`:`warning`,18)} ${r}</p>`}async tryOut(){let{url:e}=this;this.isTrying=!0;let t=await A(e);this.isTrying=!1,e===this.url&&(this.verdict=t)}};c([s()],k.prototype,`url`,void 0),c([o()],k.prototype,`verdict`,void 0),c([o()],k.prototype,`isTrying`,void 0),k=c([t(`visavis-trial`)],k);var A=async t=>{try{let{ok:n=!1,message:r}=await(await fetch(O,{method:`POST`,headers:{"Content-Type":`application/json`},body:JSON.stringify({recordingServerUrl:t})})).json();return{ok:n,message:r??e(`loadFailed`)}}catch{return{ok:!1,message:e(`loadFailed`)}}},j=`/v4/livechat/audioVideoChatConfig`,M=`/v4/global/auditLogs`,N=10,P=[`isEnabled`,`isAutomaticallyRecordingAudioVideoChatsEnabled`,`recordingServerUrl`],F={isEnabled:`switch`,isAutomaticallyRecordingAudioVideoChatsEnabled:`automaticRecording`,recordingServerUrl:`recordingServer`},I={true:`on`,false:`off`,...T},L={recordingPlayed:`played`,recordingDownloaded:`downloaded`,recordingComposed:`composed`,recordingHeld:`held`,recordingReleased:`released`,recordingDeleted:`deleted`},R=(e,t)=>P.every(n=>e[n]===t[n]),z=class extends i{constructor(...e){super(...e),this.errors={},this.failure=``,this.status=``,this.isSaving=!1,this.log=[],this.logPage=1,this.hasOlder=!1}static{this.styles=[a,r`
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
    `]}async connectedCallback(){super.connectedCallback(),this.session=await p(),this.may(`Manage Settings`)&&(this.events=new EventSource(`${j}/events`),this.events.addEventListener(`config`,e=>this.hear(JSON.parse(e.data))),await this.readLog())}disconnectedCallback(){super.disconnectedCallback(),this.events?.close()}render(){return this.session?n`
      <header>
        <strong>Visavis · ${e(`settings`)}</strong>
        <a href="/console">${e(`console`)}</a><a href="/library">${e(`library`)}</a>
        <button @click=${()=>f()}>${e(`signOut`)}</button>
      </header>
      <main>${this.may(`Manage Settings`)?this.content():n`<p class="card" role="alert">${e(`mayNotManage`)}</p>`}</main>
    `:l}content(){return n`
      ${this.failure?n`<p class="error" role="alert">${this.failure}</p>`:l}
      ${this.theirs&&this.draft?this.conflict(this.theirs.config,this.draft):l}
      ${this.draft?this.form(this.draft):n`<p class="quiet">${e(`loading`)}</p>`}
      <visavis-delivery></visavis-delivery>
      <visavis-policy @saved=${()=>this.readLog()}></visavis-policy>
      ${this.may(`View Audit Log`)?this.history():l}
    `}form(t){let r=(r,i)=>n`<div class="row">
      <div><label for=${r}>${e(F[r])}</label><p class="quiet" id="${r}-help">${e(i)}</p></div>
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
        <p class="error" id="url-error">${i??l}</p>
        <visavis-trial .url=${t.recordingServerUrl}></visavis-trial>
      </div>
      <div class="bar">
        <button class="primary" ?disabled=${!this.isEdited||this.isSaving}>${e(`save`)}</button>
        <button type="button" ?disabled=${!this.isEdited||this.isSaving} @click=${()=>this.discard()}>${e(`discard`)}</button>
        <p class="status quiet" role="status">${this.status}</p>
      </div>
    </form>`}conflict(t,r){let i=P.filter(e=>t[e]!==r[e]).map(i=>n`<tr><th scope="row">${e(F[i])}</th><td data-whose=${e(`yours`)}>${G(r[i])}</td><td data-whose=${e(`theirs`)}>${G(t[i])}</td></tr>`);return n`<section class="card conflict" role="alert" aria-labelledby="conflict-title">
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
      <span title=${t.createTime}>${u(t.createTime)}</span> · ${t.agentEmail||e(L[t.actionType]?`byRetention`:`commandLine`)}
      ${H(t)}
    </li>`)}</ol>`:n`<p class="quiet">${e(`noHistory`)}</p>`}
      ${this.hasOlder?n`<button @click=${()=>this.readLog(this.logPage+1)}>${e(`older`)}</button>`:l}
    </section>`}may(e){return this.session?.permissions.includes(e)??!1}get isEdited(){return!!this.saved&&!!this.draft&&!R(this.saved.config,this.draft)}edit(e,t){this.draft&&(this.draft={...this.draft,[e]:t},this.errors={},this.status=``)}discard(){this.saved&&this.accept(this.saved)}hear(t){if(t.etag===this.saved?.etag||this.isSaving)return;let n=!this.saved;this.isEdited&&this.draft&&!R(this.draft,t.config)?this.theirs=t:(this.accept(t),this.status=n?``:e(`changedElsewhere`)),n||this.readLog()}accept(e){this.saved=e,this.draft={...e.config},this.theirs=void 0,this.errors={},this.failure=``}takeTheirs(){this.theirs&&(this.accept(this.theirs),this.status=e(`tookTheirs`))}async keepMine(){this.theirs&&(this.saved=this.theirs,this.theirs=void 0,await this.save())}async submit(e){e.preventDefault(),this.isEdited&&await this.save()}async save(){if(this.saved&&this.draft){this.isSaving=!0,this.status=e(`saving`),this.failure=``;try{let e={"Content-Type":`application/json`,"If-Match":this.saved.etag};await this.saveAnswered(await fetch(j,{method:`PUT`,headers:e,body:JSON.stringify(this.draft)}))}catch{this.fail(e(`saveFailed`))}finally{this.isSaving=!1}}}async saveAnswered(t){if(t.ok)return this.accept(await B(t)),this.status=e(`saved`),this.readLog();if(t.status===412){this.theirs=await B(await fetch(j)),this.status=``;return}t.status===401&&await p();let n=await t.json(),r=P.find(e=>n.pointer===`/${e}`);if(!r)return this.fail(n.message);this.errors={[r]:V(n,this.draft?.recordingServerUrl??``)},this.status=e(`notSaved`),this.renderRoot.querySelector(`#${r}`)?.focus()}fail(e){this.failure=e,this.status=``}async readLog(e=1){if(!this.may(`View Audit Log`))return;let t=await fetch(`${M}?pageIndex=${e}&pageSize=${N}`);if(!t.ok)return;let n=await t.json();this.log=e===1?n.auditLogs:[...this.log,...n.auditLogs],this.logPage=e,this.hasOlder=n.nextPage!==``}};c([o()],z.prototype,`session`,void 0),c([o()],z.prototype,`saved`,void 0),c([o()],z.prototype,`draft`,void 0),c([o()],z.prototype,`theirs`,void 0),c([o()],z.prototype,`errors`,void 0),c([o()],z.prototype,`failure`,void 0),c([o()],z.prototype,`status`,void 0),c([o()],z.prototype,`isSaving`,void 0),c([o()],z.prototype,`log`,void 0),c([o()],z.prototype,`logPage`,void 0),c([o()],z.prototype,`hasOlder`,void 0),z=c([t(`visavis-admin`)],z);var B=async e=>({config:await e.json(),etag:e.headers.get(`ETag`)??``}),V=(t,n)=>n?t.error===`ParameterStringLengthExceed`?e(`urlTooLong`):t.error===`ParameterFormatIncorrect`?e(`urlWrong`):e(`urlWithPassword`):e(`urlNeeded`),H=t=>{let r=L[t.actionType];return r?n`<p class="quiet">${e(r)}: ${U(t)}</p>`:t.actionDetails.map(e=>n`<p class="quiet">${W(e.fieldName)}: ${K(e.oldValue)} → ${K(e.newValue)}</p>`)},U=({actionDetails:e})=>{let{oldValue:t,newValue:r}=e.find(({fieldName:e})=>e===`recording`)??{oldValue:``,newValue:``};return r?n`<a href="/library?recording=${encodeURIComponent(r)}"><code>${r}</code></a>`:n`<code>${t}</code>`},W=t=>{let n={...F,...w}[t];return n?e(n):t},G=e=>K(String(e)),K=t=>{let n=I[t];return n?e(n):t||e(`none`)};