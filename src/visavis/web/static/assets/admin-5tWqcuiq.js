import{d as e,f as t,g as n,m as r,n as i,p as a,r as o,s,t as c,u as l,y as u}from"./decorate-iUupqxG7.js";import{n as d,r as f}from"./format-DdnngG-R.js";import{n as p}from"./page-header-DvxE7juA.js";import{t as m}from"./live-DJEnRMoE.js";import{t as h}from"./icons-DQfxPbhV.js";var g=`/v4/livechat/recordings?state=undelivered&pageSize=5`,_=5e3,v=2e4,y={waiting:`recordingWaits`,muxing:`recordingIsMade`,delivering:`recordingIsSent`,failed:`recordingFailed`},b=class extends a{constructor(...e){super(...e),this.hasFailed=!1,this.timer=0}static{this.styles=[o,u`
      :host { display: block; }
      dl { display: grid; grid-template-columns: minmax(8rem, max-content) 1fr; gap: 0.4rem 1rem; margin: 0; }
      dt { font-weight: 600; }
      dd { margin: 0; overflow-wrap: anywhere; }
      ol { list-style: none; margin: 1rem 0 0; padding: 0; }
      li { padding: 0.6rem 0; border-top: 1px solid var(--line); overflow-wrap: anywhere; }
      li p { margin: 0.15rem 0 0; }
      @media (max-width: 30rem) { dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: 0.6rem; } }
    `]}connectedCallback(){super.connectedCallback(),this.follow()}disconnectedCallback(){super.disconnectedCallback(),clearTimeout(this.timer)}render(){return n`<section class="card" aria-labelledby="delivery-title">
      <h2 id="delivery-title">${s(`delivery`)}</h2>
      ${this.hasFailed?n`<p class="error">${s(`loadFailed`)}</p>`:r}
      ${this.backlog?this.facts(this.backlog):n`<p class="quiet">${s(`loading`)}</p>`}
    </section>`}facts(e){let{pending:t,failed:i,incomplete:a,missing:o,oldestPending:c,lastSuccess:l,lastError:u,lastErrorTime:f}=e,p=c?` (${s(`oldestSince`)} ${d(c)})`:``;return n`
      <dl>
        <dt>${s(`backlog`)}</dt><dd id="backlog">${t?`${t}${p}`:s(`nothingWaits`)}</dd>
        ${i?n`<dt>${s(`recordingFailed`)}</dt><dd class="error">${i}: ${s(`failedHelp`)}</dd>`:r}
        ${a?n`<dt>${s(`incompleteRecordings`)}</dt><dd class="warn">${a}: ${s(`incompleteHelp`)}</dd>`:r}
        ${o?n`<dt>${s(`missingRecordings`)}</dt><dd class="warn">${o===1?s(`missingOne`):s(`missingMany`).replace(`%`,String(o))}</dd>`:r}
        <dt>${s(`lastSuccess`)}</dt><dd id="last-success">${l?d(l):s(`neverYet`)}</dd>
        <dt>${s(`lastError`)}</dt><dd id="last-error" class=${u?`error`:``}>${u?`${x(f)}${u}`:s(`none`)}</dd>
      </dl>
      ${e.recordings.length?n`<ol aria-label=${s(`underWay`)}>${e.recordings.map(S)}</ol>`:r}
    `}async follow(){document.hidden||await this.load(),this.isConnected&&(this.timer=window.setTimeout(()=>void this.follow(),this.backlog?.pending?_:v))}async load(){try{let e=await fetch(g);this.hasFailed=!e.ok,e.ok&&(this.backlog=await e.json())}catch{this.hasFailed=!0}}};c([l()],b.prototype,`backlog`,void 0),c([l()],b.prototype,`hasFailed`,void 0),b=c([t(`visavis-delivery`)],b);var x=e=>e?`${d(e)}: `:``,S=e=>{let t=e.size?` · ${f(e.uploaded)} ${s(`of`)} ${f(e.size)}`:``,i=e.nextTryAt?` · ${s(`nextTry`)} ${d(e.nextTryAt)}`:``;return n`<li>${d(e.startedAt)} · ${s(y[e.state])}${t}${i}
    ${e.lastError?n`<p class="error small">${e.lastError}</p>`:r}</li>`},C=(e,t,n)=>{let r=Object.keys(n),i=(t,n)=>t[n]!==e[n],a={...n};for(let e of r)i(t,e)&&(a[e]=t[e]);return{merged:a,conflicts:r.filter(e=>i(t,e)&&i(n,e)&&t[e]!==n[e])}},w=`/v4/livechat/recordingPolicy`,T={consent:`consent`,unrecordable:`unrecordable`,retentionDays:`retention`,secret:`secret`},E={notice:`consentNotice`,agreement:`consentAgreement`,refuse:`unrecordableRefuse`,continue:`unrecordableContinue`},D={consent:[`notice`,`agreement`],unrecordable:[`refuse`,`continue`]},O=class extends a{constructor(...e){super(...e),this.etag=``,this.days=``,this.secret=``,this.status=``,this.isSaving=!1}static{this.styles=[o,u`
      :host { display: block; }
      form { display: grid; gap: 1rem; }
      .field p { margin: 0; font-weight: 400; }
      .bar { display: flex; flex-wrap: wrap; gap: 0.75rem; align-items: center; }
      .bar p { margin: 0; }
    `]}connectedCallback(){super.connectedCallback(),this.read()}render(){return n`<form class="card" novalidate aria-labelledby="policy-title" @submit=${this.submit}>
      <h2 id="policy-title">${s(`recordingPolicy`)}</h2>
      ${this.policy?this.fields(this.policy):n`<p class="quiet">${s(`loading`)}</p>`}
    </form>`}fields(e){return n`
      ${this.choice(`consent`,e,`consentHelp`)}
      ${this.choice(`unrecordable`,e,`unrecordableHelp`)}
      ${this.text(`retentionDays`,`retention`,`retentionHelp`,n`<input id="retentionDays" inputmode="numeric" autocomplete="off" .value=${m(this.days)}
        aria-invalid=${this.isWrong(`retentionDays`)} aria-describedby="retentionDays-help retentionDays-error"
        @input=${e=>this.days=this.typed(e)} />`)}
      ${this.text(`secret`,`secret`,e.hasSecret?`secretSet`:`secretNone`,n`<input id="secret" type="password" autocomplete="new-password" .value=${m(this.secret)}
        aria-invalid=${this.isWrong(`secret`)} aria-describedby="secret-help secret-error"
        @input=${e=>this.secret=this.typed(e)} />`)}
      <div class="bar">
        <button class="primary" ?disabled=${this.isSaving}>${s(`apply`)}</button>
        ${e.hasSecret?n`<button type="button" ?disabled=${this.isSaving} @click=${()=>this.put({secret:null})}>${s(`forgetSecret`)}</button>`:r}
        <p aria-live="polite" class=${this.problem?`error`:`quiet`}>${this.status}</p>
      </div>
    `}choice(e,t,r){return n`<div class="field">
      <label for=${e}>${s(T[e])}</label>
      <p class="quiet" id="${e}-help">${s(r)}</p>
      <select id=${e} aria-describedby="${e}-help" @change=${n=>this.policy={...t,[e]:this.typed(n)}}>
        ${D[e].map(r=>n`<option value=${r} .selected=${t[e]===r}>${s(E[r])}</option>`)}
      </select>
    </div>`}text(e,t,i,a){return n`<div class="field">
      <label for=${e}>${s(t)}</label>
      <p class="quiet" id="${e}-help">${s(i)}</p>
      ${a}
      <p class="error" id="${e}-error">${this.isWrong(e)===`true`?this.problem?.message:r}</p>
    </div>`}isWrong(e){return this.problem?.pointer===`/${e}`?`true`:`false`}typed(e){return this.status=``,this.problem=void 0,e.target.value}async submit(e){if(e.preventDefault(),!this.policy)return;let{consent:t,unrecordable:n}=this.policy,r=this.days.trim(),i=r===``?null:/^\d+$/.test(r)?Number(r):r;await this.put({consent:t,unrecordable:n,retentionDays:i,...this.secret?{secret:this.secret}:{}})}async put(e){this.isSaving=!0,this.problem=void 0;try{let t={"Content-Type":`application/json`,"If-Match":this.etag};await this.answered(await fetch(w,{method:`PUT`,headers:t,body:JSON.stringify(e)}))}catch{this.fail({message:s(`saveFailed`)})}finally{this.isSaving=!1}}async answered(e){e.ok?(await this.accept(e),this.status=s(`policySaved`),this.dispatchEvent(new Event(`saved`))):e.status===412?(await this.read(),this.fail({message:s(`policyChanged`)})):this.fail(await e.json())}fail(e){this.problem=e,this.status=e.pointer?s(`notSaved`):e.message,e.pointer&&this.renderRoot.querySelector(`#${e.pointer.slice(1)}`)?.focus()}async read(){let e=await fetch(w);e.ok&&await this.accept(e)}async accept(e){this.policy=await e.json(),this.etag=e.headers.get(`ETag`)??``,this.days=this.policy.retentionDays===null?``:String(this.policy.retentionDays),this.secret=``}};c([l()],O.prototype,`policy`,void 0),c([l()],O.prototype,`etag`,void 0),c([l()],O.prototype,`days`,void 0),c([l()],O.prototype,`secret`,void 0),c([l()],O.prototype,`status`,void 0),c([l()],O.prototype,`problem`,void 0),c([l()],O.prototype,`isSaving`,void 0),O=c([t(`visavis-policy`)],O);var k=`/v4/livechat/audioVideoChatConfig:testRecordingServer`,A=class extends a{constructor(...e){super(...e),this.url=``,this.isTrying=!1}static{this.styles=[o,u`
      :host { display: block; margin-top: 0.6rem; }
      p { margin: 0.4rem 0 0; overflow-wrap: anywhere; }
    `]}willUpdate(e){e.has(`url`)&&(this.verdict=void 0)}render(){return n`
      <button type="button" ?disabled=${this.isTrying||!this.url} @click=${this.tryOut}>${s(`testRecordingServer`)}</button>
      <div aria-live="polite">${this.outcome()}</div>
    `}outcome(){if(this.isTrying)return n`<p class="quiet">${s(`trying`)}</p>`;if(!this.verdict)return r;let{ok:e,message:t}=this.verdict;return n`<p class="line ${e?`good`:`error`}" id="verdict">${h(e?`good`:`warning`,18)} ${t}</p>`}async tryOut(){let{url:e}=this;this.isTrying=!0;let t=await j(e);this.isTrying=!1,e===this.url&&(this.verdict=t)}};c([e()],A.prototype,`url`,void 0),c([l()],A.prototype,`verdict`,void 0),c([l()],A.prototype,`isTrying`,void 0),A=c([t(`visavis-trial`)],A);var j=async e=>{try{let{ok:t=!1,message:n}=await(await fetch(k,{method:`POST`,headers:{"Content-Type":`application/json`},body:JSON.stringify({recordingServerUrl:e})})).json();return{ok:t,message:n??s(`loadFailed`)}}catch{return{ok:!1,message:s(`loadFailed`)}}},M=`/v4/livechat/audioVideoChatConfig`,N=`/v4/global/auditLogs`,P=10,F=[`isEnabled`,`isAutomaticallyRecordingAudioVideoChatsEnabled`,`recordingServerUrl`],I={isEnabled:`switch`,isAutomaticallyRecordingAudioVideoChatsEnabled:`automaticRecording`,recordingServerUrl:`recordingServer`},L={true:`on`,false:`off`,...E},R={recordingPlayed:`played`,recordingDownloaded:`downloaded`,recordingComposed:`composed`,recordingHeld:`held`,recordingReleased:`released`,recordingDeleted:`deleted`},z=(e,t)=>F.every(n=>e[n]===t[n]),B=class extends a{constructor(...e){super(...e),this.conflicts=[],this.errors={},this.failure=``,this.status=``,this.isSaving=!1,this.log=[],this.logPage=1,this.hasOlder=!1}static{this.styles=[o,u`
      a { color: var(--accent); }
      main { max-width: 46rem; margin: 0 auto; padding: 1.5rem 1.25rem 4rem; display: grid; gap: 1.25rem; grid-template-columns: minmax(0, 1fr); }
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
      ${i}
      @media (prefers-reduced-motion: reduce) { * { transition: none !important; } }
    `]}async connectedCallback(){super.connectedCallback(),this.session=await p(),this.may(`Manage Settings`)&&(this.events=new EventSource(`${M}/events`),this.events.addEventListener(`config`,e=>this.hear(JSON.parse(e.data))),await this.readLog())}disconnectedCallback(){super.disconnectedCallback(),this.events?.close()}render(){return this.session?n`
      <visavis-header current="settings" .session=${this.session}></visavis-header>
      <main>${this.may(`Manage Settings`)?this.content():n`<p class="card" role="alert">${s(`mayNotManage`)}</p>`}</main>
    `:r}content(){return n`
      ${this.failure?n`<p class="error" role="alert">${this.failure}</p>`:r}
      ${this.theirs&&this.draft?this.conflict(this.theirs,this.draft):r}
      ${this.draft?this.form(this.draft):n`<p class="quiet">${s(`loading`)}</p>`}
      <visavis-delivery></visavis-delivery>
      <visavis-policy @saved=${()=>this.readLog()}></visavis-policy>
      ${this.may(`View Audit Log`)?this.history():r}
    `}form(e){let t=(t,r)=>n`<div class="row">
      <div><label for=${t}>${s(I[t])}</label><p class="quiet" id="${t}-help">${s(r)}</p></div>
      <input type="checkbox" role="switch" id=${t} aria-describedby="${t}-help" .checked=${e[t]}
        @change=${e=>this.edit(t,e.target.checked)} />
    </div>`,i=this.errors.recordingServerUrl;return n`<form class="card" novalidate @submit=${this.submit}>
      <h1>${s(`callsAndRecording`)}</h1>
      ${t(`isEnabled`,`switchHelp`)}
      ${t(`isAutomaticallyRecordingAudioVideoChatsEnabled`,`automaticRecordingHelp`)}
      <div class="field">
        <label for="recordingServerUrl">${s(`recordingServer`)}</label>
        <p class="quiet" id="url-help">${s(`recordingServerHelp`)}</p>
        <input id="recordingServerUrl" type="url" inputmode="url" autocomplete="off" spellcheck="false" .value=${e.recordingServerUrl}
          aria-invalid=${i?`true`:`false`} aria-describedby="url-help url-error"
          @input=${e=>this.edit(`recordingServerUrl`,e.target.value)} />
        <p class="error" id="url-error">${i??r}</p>
        <visavis-trial .url=${e.recordingServerUrl}></visavis-trial>
      </div>
      <div class="bar">
        <button class="primary" ?disabled=${!this.isEdited||this.isSaving}>${s(`save`)}</button>
        <button type="button" ?disabled=${!this.isEdited||this.isSaving} @click=${()=>this.discard()}>${s(`discard`)}</button>
        <p class="status quiet" role="status">${this.status}</p>
      </div>
    </form>`}conflict(e,t){let r=this.conflicts.map(r=>n`<tr><th scope="row">${s(I[r])}</th><td data-whose=${s(`yours`)}>${K(t[r])}</td><td data-whose=${s(`theirs`)}>${K(e[r])}</td></tr>`);return n`<section class="card conflict" role="alert" aria-labelledby="conflict-title">
      <h2 id="conflict-title">${s(`conflict`)}</h2>
      <p>${s(`conflictHelp`)}</p>
      <table>
        <thead><tr><td></td><th scope="col">${s(`yours`)}</th><th scope="col">${s(`theirs`)}</th></tr></thead>
        <tbody>${r}</tbody>
      </table>
      <div class="bar">
        <button class="primary" @click=${this.keepMine}>${s(`keepMine`)}</button>
        <button @click=${this.takeTheirs}>${s(`takeTheirs`)}</button>
      </div>
    </section>`}history(){return n`<section class="card" aria-labelledby="history-title">
      <h2 id="history-title">${s(`history`)}</h2>
      ${this.log.length?n`<ol>${this.log.map(e=>n`<li>
      <span title=${e.createTime}>${d(e.createTime)}</span> · ${e.agentEmail||s(R[e.actionType]?`byRetention`:`commandLine`)}
      ${U(e)}
    </li>`)}</ol>`:n`<p class="quiet">${s(`noHistory`)}</p>`}
      ${this.hasOlder?n`<button @click=${()=>this.readLog(this.logPage+1)}>${s(`older`)}</button>`:r}
    </section>`}may(e){return this.session?.permissions.includes(e)??!1}get isEdited(){return!!this.saved&&!!this.draft&&!z(this.saved.config,this.draft)}edit(e,t){this.draft&&(this.draft={...this.draft,[e]:t},this.errors={},this.status=``)}discard(){this.saved&&this.accept(this.saved)}hear(e){if(e.etag===this.saved?.etag||this.isSaving)return;let t=!this.saved;this.mergeWith(e),t?this.status=``:this.readLog()}mergeWith(e){if(!this.saved||!this.draft)return this.accept(e);let{merged:t,conflicts:n}=C(this.saved.config,this.draft,e.config);this.accept(e),this.draft=t,this.conflicts=n,this.theirs=n.length?e.config:void 0,this.status=n.length?``:s(`changedElsewhere`)}accept(e){this.saved=e,this.draft={...e.config},this.theirs=void 0,this.conflicts=[],this.errors={},this.failure=``}takeTheirs(){let{theirs:e,draft:t}=this;e&&t&&(this.draft={...t,...Object.fromEntries(this.conflicts.map(t=>[t,e[t]]))},this.theirs=void 0,this.conflicts=[],this.status=s(`tookTheirs`))}async keepMine(){this.theirs=void 0,this.conflicts=[],await this.save()}async submit(e){e.preventDefault(),this.isEdited&&!this.theirs&&await this.save()}async save(){if(this.saved&&this.draft){this.isSaving=!0,this.status=s(`saving`),this.failure=``;try{let e={"Content-Type":`application/json`,"If-Match":this.saved.etag};await this.saveAnswered(await fetch(M,{method:`PUT`,headers:e,body:JSON.stringify(this.draft)}))}catch{this.fail(s(`saveFailed`))}finally{this.isSaving=!1}}}async saveAnswered(e){if(e.ok)return this.accept(await V(e)),this.status=s(`saved`),this.readLog();if(e.status===412){this.mergeWith(await V(await fetch(M))),this.theirs||await this.save();return}e.status===401&&await p();let t=await e.json(),n=F.find(e=>t.pointer===`/${e}`);if(!n)return this.fail(t.message);this.errors={[n]:H(t,this.draft?.recordingServerUrl??``)},this.status=s(`notSaved`),this.renderRoot.querySelector(`#${n}`)?.focus()}fail(e){this.failure=e,this.status=``}async readLog(e=1){if(!this.may(`View Audit Log`))return;let t=await fetch(`${N}?pageIndex=${e}&pageSize=${P}`);if(!t.ok)return;let n=await t.json();this.log=e===1?n.auditLogs:[...this.log,...n.auditLogs],this.logPage=e,this.hasOlder=n.nextPage!==``}};c([l()],B.prototype,`session`,void 0),c([l()],B.prototype,`saved`,void 0),c([l()],B.prototype,`draft`,void 0),c([l()],B.prototype,`theirs`,void 0),c([l()],B.prototype,`conflicts`,void 0),c([l()],B.prototype,`errors`,void 0),c([l()],B.prototype,`failure`,void 0),c([l()],B.prototype,`status`,void 0),c([l()],B.prototype,`isSaving`,void 0),c([l()],B.prototype,`log`,void 0),c([l()],B.prototype,`logPage`,void 0),c([l()],B.prototype,`hasOlder`,void 0),B=c([t(`visavis-admin`)],B);var V=async e=>({config:await e.json(),etag:e.headers.get(`ETag`)??``}),H=(e,t)=>t?e.error===`ParameterStringLengthExceed`?s(`urlTooLong`):e.error===`ParameterFormatIncorrect`?s(`urlWrong`):s(`urlWithPassword`):s(`urlNeeded`),U=e=>{let t=R[e.actionType];return t?n`<p class="quiet">${s(t)}: ${W(e)}</p>`:e.actionDetails.map(e=>n`<p class="quiet">${G(e.fieldName)}: ${q(e.oldValue)} → ${q(e.newValue)}</p>`)},W=({actionDetails:e})=>{let{oldValue:t,newValue:r}=e.find(({fieldName:e})=>e===`recording`)??{oldValue:``,newValue:``};return r?n`<a href="/library?recording=${encodeURIComponent(r)}"><code>${r}</code></a>`:n`<code>${t}</code>`},G=e=>{let t={...I,...T}[e];return t?s(t):e},K=e=>q(String(e)),q=e=>{let t=L[e];return t?s(t):e||s(`none`)};