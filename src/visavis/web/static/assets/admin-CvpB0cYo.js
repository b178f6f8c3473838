import{_ as e,b as t,c as n,d as r,f as i,h as a,i as o,m as s,n as c,p as l,t as u}from"./decorate-CgotLSzj.js";import{n as d}from"./page-header-NwGLaUqJ.js";import{n as f,r as p}from"./format-DdnngG-R.js";import{n as ee,t as m}from"./live-3AoRrLf9.js";import{t as h}from"./icons-CYGmKF0n.js";var g=`/v4/livechat/recordingPolicy`,_={consent:`consent`,unrecordable:`unrecordable`,retentionDays:`retention`,secret:`secret`},v={notice:`consentNotice`,agreement:`consentAgreement`,refuse:`unrecordableRefuse`,continue:`unrecordableContinue`},y={consent:[`notice`,`agreement`],unrecordable:[`refuse`,`continue`]},b=class extends s{constructor(...e){super(...e),this.etag=``,this.days=``,this.secret=``,this.status=``,this.isSaving=!1}static{this.styles=[o,t`
      :host { display: block; }
      form { display: grid; gap: 1rem; }
      .field p { margin: 0; font-weight: 400; }
      .bar { display: flex; flex-wrap: wrap; gap: 0.75rem; align-items: center; }
      .bar p { margin: 0; }
    `]}connectedCallback(){super.connectedCallback(),this.read()}render(){return e`<form class="card" novalidate aria-labelledby="policy-title" @submit=${this.submit}>
      <h2 id="policy-title">${n(`recordingPolicy`)}</h2>
      ${this.policy?this.fields(this.policy):e`<p class="quiet">${n(`loading`)}</p>`}
    </form>`}fields(t){return e`
      ${this.choice(`consent`,t,`consentHelp`)}
      ${this.choice(`unrecordable`,t,`unrecordableHelp`)}
      ${this.text(`retentionDays`,`retention`,`retentionHelp`,e`<input id="retentionDays" inputmode="numeric" autocomplete="off" .value=${m(this.days)}
        aria-invalid=${this.isWrong(`retentionDays`)} aria-describedby="retentionDays-help retentionDays-error"
        @input=${e=>this.days=this.typed(e)} />`)}
      ${this.text(`secret`,`secret`,t.hasSecret?`secretSet`:`secretNone`,e`<input id="secret" type="password" autocomplete="new-password" .value=${m(this.secret)}
        aria-invalid=${this.isWrong(`secret`)} aria-describedby="secret-help secret-error"
        @input=${e=>this.secret=this.typed(e)} />`)}
      <div class="bar">
        <button class="primary" ?disabled=${this.isSaving}>${n(`apply`)}</button>
        ${t.hasSecret?e`<button type="button" ?disabled=${this.isSaving} @click=${()=>this.put({secret:null})}>${n(`forgetSecret`)}</button>`:a}
        <p aria-live="polite" class=${this.problem?`error`:`quiet`}>${this.status}</p>
      </div>
    `}choice(t,r,i){return e`<div class="field">
      <label for=${t}>${n(_[t])}</label>
      <p class="quiet" id="${t}-help">${n(i)}</p>
      <select id=${t} aria-describedby="${t}-help" @change=${e=>this.policy={...r,[t]:this.typed(e)}}>
        ${y[t].map(i=>e`<option value=${i} .selected=${r[t]===i}>${n(v[i])}</option>`)}
      </select>
    </div>`}text(t,r,i,o){return e`<div class="field">
      <label for=${t}>${n(r)}</label>
      <p class="quiet" id="${t}-help">${n(i)}</p>
      ${o}
      <p class="error" id="${t}-error">${this.isWrong(t)===`true`?this.problem?.message:a}</p>
    </div>`}isWrong(e){return this.problem?.pointer===`/${e}`?`true`:`false`}typed(e){return this.status=``,this.problem=void 0,e.target.value}async submit(e){if(e.preventDefault(),!this.policy)return;let{consent:t,unrecordable:n}=this.policy,r=this.days.trim(),i=r===``?null:/^\d+$/.test(r)?Number(r):r;await this.put({consent:t,unrecordable:n,retentionDays:i,...this.secret?{secret:this.secret}:{}})}async put(e){this.isSaving=!0,this.problem=void 0;try{let t={"Content-Type":`application/json`,"If-Match":this.etag};await this.answered(await fetch(g,{method:`PUT`,headers:t,body:JSON.stringify(e)}))}catch{this.fail({message:n(`saveFailed`)})}finally{this.isSaving=!1}}async answered(e){e.ok?(await this.accept(e),this.status=n(`policySaved`),this.dispatchEvent(new Event(`saved`))):e.status===412?(await this.read(),this.fail({message:n(`policyChanged`)})):this.fail(await e.json())}fail(e){this.problem=e,this.status=e.pointer?n(`notSaved`):e.message,e.pointer&&this.renderRoot.querySelector(`#${e.pointer.slice(1)}`)?.focus()}async read(){let e=await fetch(g);e.ok&&await this.accept(e)}async accept(e){this.policy=await e.json(),this.etag=e.headers.get(`ETag`)??``,this.days=this.policy.retentionDays===null?``:String(this.policy.retentionDays),this.secret=``}};u([r()],b.prototype,`policy`,void 0),u([r()],b.prototype,`etag`,void 0),u([r()],b.prototype,`days`,void 0),u([r()],b.prototype,`secret`,void 0),u([r()],b.prototype,`status`,void 0),u([r()],b.prototype,`problem`,void 0),u([r()],b.prototype,`isSaving`,void 0),b=u([l(`visavis-policy`)],b);var x=`/v4/global/auditLogs`,S=10,C={isEnabled:`switch`,isAutomaticallyRecordingAudioVideoChatsEnabled:`automaticRecording`,recordingServerUrl:`recordingServer`,address:`network`,attempts:`attempts`,permissions:`permissions`,grants:`grants`,..._},w={true:`on`,false:`off`,...v},T={recordingPlayed:`played`,recordingDownloaded:`downloaded`,recordingComposed:`composed`,recordingHeld:`held`,recordingReleased:`released`,recordingDeleted:`deleted`},E=[`audioAndVideoChatManagement`,`recordingPolicyManagement`],D=[[`groupSettings`,E],[`groupRecordings`,Object.keys(T)],[`groupSignIns`,[`signedIn`,`signInFailed`,`signedOut`,`signedOutEverywhere`,`sessionEnded`,`passwordChanged`,`passwordReset`]],[`groupAgents`,[`agentCreated`,`agentDisabled`,`agentEnabled`,`agentPermissionsChanged`,`roleCreated`,`rolePermissionsChanged`,`roleAssigned`,`roleUnassigned`,`siteCreated`,`siteDisabled`,`siteEnabled`]],[`groupPrograms`,[`apiKeyCreated`,`apiKeyRotated`,`apiKeyDeleted`,`uploadKeyCreated`,`uploadKeyRotated`,`uploadKeyDeleted`,`uploadKeyRefused`,`clientCreated`,`clientGrantsChanged`,`clientSecretRotated`,`clientDisabled`,`clientEnabled`,`clientRefused`,`tokenIssued`,`tokenRotated`,`tokenRevoked`,`tokenReused`,`tokenRefused`]],[`groupAuditLog`,[`auditLogExported`,`auditLogTrimmed`]]],O={"command line":`commandLine`,system:`bySystem`,anonymous:`byStranger`},k=class extends s{constructor(...e){super(...e),this.exportable=!1,this.index=1,this.hasOlder=!1,this.failure=``,this.filters=new URLSearchParams}static{this.styles=[o,t`
      form { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(11rem, 100%), 1fr)); gap: 0.75rem; align-items: end; margin-bottom: 1rem; }
      input, select { min-width: 0; }
      ol { list-style: none; margin: 0; padding: 0; }
      li { padding: 0.75rem 0; border-top: 1px solid var(--line); overflow-wrap: anywhere; }
      li p { margin: 0.15rem 0 0; }
      a { color: var(--accent); }
      .bar { display: flex; flex-wrap: wrap; gap: 0.75rem; align-items: center; }
    `]}connectedCallback(){super.connectedCallback(),this.refresh()}async refresh(){await this.read(1)}render(){let t=this.filters.size>0;return e`<section class="card" aria-labelledby="history-title">
      <h2 id="history-title">${n(`history`)}</h2>
      <form role="search" aria-label=${n(`history`)} @change=${this.filter} @submit=${this.filter}>
        <label class="field">${n(`author`)}<input name="author" maxlength="200" autocomplete="off" /></label>
        <label class="field">${n(`action`)}
          <select name="actionType">
            <option value="">${n(`every`)}</option>
            ${D.map(([t,r])=>e`<option value=${r.join(`,`)}>${n(t)}</option>`)}
          </select>
        </label>
        <label class="field">${n(`object`)}<input name="object" maxlength="200" autocomplete="off" /></label>
        <label class="field">${n(`from`)}<input name="from" type="date" /></label>
        <label class="field">${n(`to`)}<input name="to" type="date" /></label>
      </form>
      ${this.failure?e`<p class="error" role="alert">${this.failure}</p>`:a}
      ${this.entries?.length?e`<ol>${this.entries.map(te)}</ol>`:a}
      ${this.entries?.length===0?e`<p class="quiet">${n(t?`nothingFound`:`noHistory`)}</p>`:a}
      <div class="bar">
        ${this.hasOlder?e`<button @click=${()=>this.read(this.index+1)}>${n(`older`)}</button>`:a}
        ${this.exportable?e`<a href="${x}:export?${this.filters.toString()}" download>${n(`exportLog`)}</a>`:a}
      </div>
    </section>`}filter(e){e.preventDefault();let t=e.currentTarget,n=[...new FormData(t).entries()].filter(([,e])=>e!==``);this.filters=new URLSearchParams(n.map(([e,t])=>[e,A(e,t)])),this.read(1)}async read(e){try{let t=await fetch(`${x}?${this.filters.toString()}&pageIndex=${e}&pageSize=${S}`);if(!t.ok)throw Error(t.statusText);let n=await t.json();this.entries=e===1?n.auditLogs:[...this.entries??[],...n.auditLogs],this.index=e,this.hasOlder=n.nextPage!==``,this.failure=``}catch{this.failure=n(`loadFailed`)}}};u([i({type:Boolean})],k.prototype,`exportable`,void 0),u([r()],k.prototype,`entries`,void 0),u([r()],k.prototype,`index`,void 0),u([r()],k.prototype,`hasOlder`,void 0),u([r()],k.prototype,`failure`,void 0),k=u([l(`visavis-audit-log`)],k);var A=(e,t)=>{if(e!==`from`&&e!==`to`)return t;let[n=0,r=1,i=1]=t.split(`-`).map(Number);return new Date(n,r-1,i+ +(e===`to`)).toISOString()},te=t=>e`<li>
  <span title=${t.createTime}>${f(t.createTime)}</span> · <span title=${t.agentEmail}>${ne(t)}</span>
  ${j(t)}
</li>`,ne=({agentName:e,agentEmail:t,author:r})=>{if(t)return e?`${e} (${t})`:t;let i=O[r];return i?n(i):r},j=t=>{let r=T[t.actionType];if(r)return e`<p class="quiet">${n(r)}: ${N(t)}</p>`;let i=E.includes(t.actionType);return e`
    ${i?a:e`<p>${t.actionSummary}</p>`}
    ${t.actionDetails.map(t=>e`<p class="quiet">${F(t.fieldName)}: ${M(t)}</p>`)}
  `},M=({oldValue:e,newValue:t,fieldName:n})=>n===`address`||n===`attempts`?t:`${I(e)} → ${I(t)}`,N=({actionDetails:t,actionSummary:n})=>{let r=t.find(({fieldName:e})=>e===`recording`),i=r?.newValue??``,a=P(n)||i||(r?.oldValue??``);return i?e`<a href="/library?recording=${encodeURIComponent(i)}">${a}</a>`:a},P=e=>{let[,t,n]=/the recording of (\S+) with (.+?)(: kept for \d+ days)?$/.exec(e)??[];return t&&n?`${n}, ${f(`${t}Z`)}`:``},F=e=>{let t=C[e];return t?n(t):e},I=e=>{let t=w[e];return t?n(t):e||n(`none`)},L=`/v4/livechat/recordings?state=undelivered&pageSize=5`,R=5e3,z=2e4,B={waiting:`recordingWaits`,muxing:`recordingIsMade`,delivering:`recordingIsSent`,failed:`recordingFailed`},V=class extends s{constructor(...e){super(...e),this.hasFailed=!1,this.timer=0}static{this.styles=[o,t`
      :host { display: block; }
      dl { display: grid; grid-template-columns: minmax(8rem, max-content) 1fr; gap: 0.4rem 1rem; margin: 0; }
      dt { font-weight: 600; }
      dd { margin: 0; overflow-wrap: anywhere; }
      ol { list-style: none; margin: 1rem 0 0; padding: 0; }
      li { padding: 0.6rem 0; border-top: 1px solid var(--line); overflow-wrap: anywhere; }
      li p { margin: 0.15rem 0 0; }
      @media (max-width: 30rem) { dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: 0.6rem; } }
    `]}connectedCallback(){super.connectedCallback(),this.follow()}disconnectedCallback(){super.disconnectedCallback(),clearTimeout(this.timer)}render(){return e`<section class="card" aria-labelledby="delivery-title">
      <h2 id="delivery-title">${n(`delivery`)}</h2>
      ${this.hasFailed?e`<p class="error">${n(`loadFailed`)}</p>`:a}
      ${this.backlog?this.facts(this.backlog):e`<p class="quiet">${n(`loading`)}</p>`}
    </section>`}facts(t){let{pending:r,failed:i,incomplete:o,missing:s,oldestPending:c,lastSuccess:l,lastError:u,lastErrorTime:d}=t,p=c?` (${n(`oldestSince`)} ${f(c)})`:``;return e`
      <dl>
        <dt>${n(`backlog`)}</dt><dd id="backlog">${r?`${r}${p}`:n(`nothingWaits`)}</dd>
        ${i?e`<dt>${n(`recordingFailed`)}</dt><dd class="error">${i}: ${n(`failedHelp`)}</dd>`:a}
        ${o?e`<dt>${n(`incompleteRecordings`)}</dt><dd class="warn">${o}: ${n(`incompleteHelp`)}</dd>`:a}
        ${s?e`<dt>${n(`missingRecordings`)}</dt><dd class="warn">${s===1?n(`missingOne`):n(`missingMany`).replace(`%`,String(s))}</dd>`:a}
        <dt>${n(`lastSuccess`)}</dt><dd id="last-success">${l?f(l):n(`neverYet`)}</dd>
        <dt>${n(`lastError`)}</dt><dd id="last-error" class=${u?`error`:``}>${u?`${H(d)}${u}`:n(`none`)}</dd>
      </dl>
      ${t.recordings.length?e`<ol aria-label=${n(`underWay`)}>${t.recordings.map(U)}</ol>`:a}
    `}async follow(){document.hidden||await this.load(),this.isConnected&&(this.timer=window.setTimeout(()=>void this.follow(),this.backlog?.pending?R:z))}async load(){try{let e=await fetch(L,{headers:{"Visavis-Background":`1`}});this.hasFailed=!e.ok,e.ok&&(this.backlog=await e.json())}catch{this.hasFailed=!0}}};u([r()],V.prototype,`backlog`,void 0),u([r()],V.prototype,`hasFailed`,void 0),V=u([l(`visavis-delivery`)],V);var H=e=>e?`${f(e)}: `:``,U=t=>{let r=t.size?` · ${p(t.uploaded)} ${n(`of`)} ${p(t.size)}`:``,i=t.nextTryAt?` · ${n(`nextTry`)} ${f(t.nextTryAt)}`:``;return e`<li>${f(t.startedAt)} · ${n(B[t.state])}${r}${i}
    ${t.lastError?e`<p class="error small">${t.lastError}</p>`:a}</li>`},W=(e,t,n)=>{let r=Object.keys(n),i=(t,n)=>t[n]!==e[n],a={...n};for(let e of r)i(t,e)&&(a[e]=t[e]);return{merged:a,conflicts:r.filter(e=>i(t,e)&&i(n,e)&&t[e]!==n[e])}},G=`/v4/livechat/audioVideoChatConfig:testRecordingServer`,K=class extends s{constructor(...e){super(...e),this.url=``,this.isTrying=!1}static{this.styles=[o,t`
      :host { display: block; margin-top: 0.6rem; }
      p { margin: 0.4rem 0 0; overflow-wrap: anywhere; }
    `]}willUpdate(e){e.has(`url`)&&(this.verdict=void 0)}render(){return e`
      <button type="button" ?disabled=${this.isTrying||!this.url} @click=${this.tryOut}>${n(`testRecordingServer`)}</button>
      <div aria-live="polite">${this.outcome()}</div>
    `}outcome(){if(this.isTrying)return e`<p class="quiet">${n(`trying`)}</p>`;if(!this.verdict)return a;let{ok:t,message:r}=this.verdict;return e`<p class="line ${t?`good`:`error`}" id="verdict">${h(t?`good`:`warning`,18)} ${r}</p>`}async tryOut(){let{url:e}=this;this.isTrying=!0;let t=await q(e);this.isTrying=!1,e===this.url&&(this.verdict=t)}};u([i()],K.prototype,`url`,void 0),u([r()],K.prototype,`verdict`,void 0),u([r()],K.prototype,`isTrying`,void 0),K=u([l(`visavis-trial`)],K);var q=async e=>{try{let{ok:t=!1,message:r}=await(await fetch(G,{method:`POST`,headers:{"Content-Type":`application/json`},body:JSON.stringify({recordingServerUrl:e})})).json();return{ok:t,message:r??n(`loadFailed`)}}catch{return{ok:!1,message:n(`loadFailed`)}}},J=`/v4/livechat/audioVideoChatConfig`,Y=[`isEnabled`,`isAutomaticallyRecordingAudioVideoChatsEnabled`,`recordingServerUrl`],X={isEnabled:`switch`,isAutomaticallyRecordingAudioVideoChatsEnabled:`automaticRecording`,recordingServerUrl:`recordingServer`},re={true:`on`,false:`off`},ie=(e,t)=>Y.every(n=>e[n]===t[n]),Z=class extends s{constructor(...e){super(...e),this.conflicts=[],this.errors={},this.failure=``,this.status=``,this.isSaving=!1,this.isSecretNeeded=!1,this.secret=``}static{this.styles=[o,t`
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
      ${c}
      @media (prefers-reduced-motion: reduce) { * { transition: none !important; } }
    `]}async connectedCallback(){super.connectedCallback(),this.session=await d(),this.may(`Manage Settings`)&&(this.events=new EventSource(`${J}/events`),this.events.addEventListener(`config`,e=>this.hear(JSON.parse(e.data))))}disconnectedCallback(){super.disconnectedCallback(),this.events?.close()}render(){return this.session?e`
      <visavis-header current="settings" .session=${this.session}></visavis-header>
      <main>${this.may(`Manage Settings`)?this.content():e`<p class="card" role="alert">${n(`mayNotManage`)}</p>`}</main>
    `:a}content(){return e`
      ${this.failure?e`<p class="error" role="alert">${this.failure}</p>`:a}
      ${this.proxies()}
      ${this.theirs&&this.draft?this.conflict(this.theirs,this.draft):a}
      ${this.draft?this.form(this.draft):e`<p class="quiet">${n(`loading`)}</p>`}
      <visavis-delivery></visavis-delivery>
      <visavis-policy @saved=${()=>this.auditLog?.refresh()}></visavis-policy>
      ${this.may(`View Audit Log`)?e`<visavis-audit-log ?exportable=${this.session?.isAdministrator??!1}></visavis-audit-log>`:a}
    `}proxies(){let t=this.session?.unlistedProxies??[];return t.length?e`<section class="card" aria-labelledby="unlisted-proxy">
      <h2 id="unlisted-proxy">${n(`unlistedProxy`)}</h2>
      <p class="quiet">${n(`unlistedProxyHelp`)}</p>
      <ul>${t.map(t=>e`<li><code>${t}</code></li>`)}</ul>
    </section>`:a}form(t){let r=(r,i)=>e`<div class="row">
      <div><label for=${r}>${n(X[r])}</label><p class="quiet" id="${r}-help">${n(i)}</p></div>
      <input type="checkbox" role="switch" id=${r} aria-describedby="${r}-help" .checked=${t[r]}
        @change=${e=>this.edit(r,e.target.checked)} />
    </div>`,i=this.errors.recordingServerUrl;return e`<form class="card" novalidate @submit=${this.submit}>
      <h1>${n(`callsAndRecording`)}</h1>
      ${r(`isEnabled`,`switchHelp`)}
      ${r(`isAutomaticallyRecordingAudioVideoChatsEnabled`,`automaticRecordingHelp`)}
      <div class="field">
        <label for="recordingServerUrl">${n(`recordingServer`)}</label>
        <p class="quiet" id="url-help">${n(`recordingServerHelp`)}</p>
        <input id="recordingServerUrl" type="url" inputmode="url" autocomplete="off" spellcheck="false" .value=${t.recordingServerUrl}
          aria-invalid=${i?`true`:`false`} aria-describedby="url-help url-error"
          @input=${e=>this.edit(`recordingServerUrl`,e.target.value)} />
        <p class="error" id="url-error">${i??a}</p>
        ${this.isSecretNeeded?this.secretField():a}
        <visavis-trial .url=${t.recordingServerUrl}></visavis-trial>
      </div>
      <div class="bar">
        <button class="primary" ?disabled=${!this.isEdited||this.isSaving}>${n(`save`)}</button>
        <button type="button" ?disabled=${!this.isEdited||this.isSaving} @click=${()=>this.discard()}>${n(`discard`)}</button>
        <p class="status quiet" role="status">${this.status}</p>
      </div>
    </form>`}secretField(){return e`<div role="group" aria-label=${n(`newServerSecret`)}>
      <p class="warn" role="alert">${n(`newServerSecretHelp`)}</p>
      <label for="newServerSecret">${n(`newServerSecret`)}</label>
      <input id="newServerSecret" type="password" autocomplete="new-password" .value=${this.secret}
        @input=${e=>this.secret=e.target.value} />
    </div>`}conflict(t,r){let i=this.conflicts.map(i=>e`<tr><th scope="row">${n(X[i])}</th><td data-whose=${n(`yours`)}>${$(r[i])}</td><td data-whose=${n(`theirs`)}>${$(t[i])}</td></tr>`);return e`<section class="card conflict" role="alert" aria-labelledby="conflict-title">
      <h2 id="conflict-title">${n(`conflict`)}</h2>
      <p>${n(`conflictHelp`)}</p>
      <table>
        <thead><tr><td></td><th scope="col">${n(`yours`)}</th><th scope="col">${n(`theirs`)}</th></tr></thead>
        <tbody>${i}</tbody>
      </table>
      <div class="bar">
        <button class="primary" @click=${this.keepMine}>${n(`keepMine`)}</button>
        <button @click=${this.takeTheirs}>${n(`takeTheirs`)}</button>
      </div>
    </section>`}may(e){return this.session?.permissions.includes(e)??!1}get isEdited(){return!!this.saved&&!!this.draft&&!ie(this.saved.config,this.draft)}edit(e,t){this.draft&&(this.draft={...this.draft,[e]:t},this.errors={},this.status=``)}discard(){this.saved&&this.accept(this.saved)}hear(e){if(e.etag===this.saved?.etag||this.isSaving)return;let t=!this.saved;this.mergeWith(e),t?this.status=``:this.auditLog?.refresh()}mergeWith(e){if(!this.saved||!this.draft)return this.accept(e);let{merged:t,conflicts:r}=W(this.saved.config,this.draft,e.config);this.accept(e),this.draft=t,this.conflicts=r,this.theirs=r.length?e.config:void 0,this.status=r.length?``:n(`changedElsewhere`)}accept(e){this.saved=e,this.draft={...e.config},this.theirs=void 0,this.conflicts=[],this.errors={},this.failure=``,this.isSecretNeeded=!1,this.secret=``}takeTheirs(){let{theirs:e,draft:t}=this;e&&t&&(this.draft={...t,...Object.fromEntries(this.conflicts.map(t=>[t,e[t]]))},this.theirs=void 0,this.conflicts=[],this.status=n(`tookTheirs`))}async keepMine(){this.theirs=void 0,this.conflicts=[],await this.save()}async submit(e){e.preventDefault(),this.isEdited&&!this.theirs&&await this.save()}async save(){if(this.saved&&this.draft){this.isSaving=!0,this.status=n(`saving`),this.failure=``;try{let e={"Content-Type":`application/json`,"If-Match":this.saved.etag};await this.saveAnswered(await fetch(J,{method:`PUT`,headers:e,body:JSON.stringify(this.body(this.draft))}))}catch{this.fail(n(`saveFailed`))}finally{this.isSaving=!1}}}body(e){return this.isSecretNeeded?{...e,recordingServerSecret:this.secret}:e}async saveAnswered(e){if(e.ok)return this.accept(await Q(e)),this.status=n(`saved`),this.auditLog?.refresh();if(e.status===412){this.mergeWith(await Q(await fetch(J))),this.theirs||await this.save();return}e.status===401&&await d();let t=await e.json();if(t.pointer===`/recordingServerSecret`&&t.error===`ParameterMissing`){this.isSecretNeeded=!0,this.status=n(`notSaved`);return}let r=Y.find(e=>t.pointer===`/${e}`);if(!r)return this.fail(t.message);this.errors={[r]:ae(t,this.draft?.recordingServerUrl??``)},this.status=n(`notSaved`),this.renderRoot.querySelector(`#${r}`)?.focus()}fail(e){this.failure=e,this.status=``}};u([r()],Z.prototype,`session`,void 0),u([r()],Z.prototype,`saved`,void 0),u([r()],Z.prototype,`draft`,void 0),u([r()],Z.prototype,`theirs`,void 0),u([r()],Z.prototype,`conflicts`,void 0),u([r()],Z.prototype,`errors`,void 0),u([r()],Z.prototype,`failure`,void 0),u([r()],Z.prototype,`status`,void 0),u([r()],Z.prototype,`isSaving`,void 0),u([r()],Z.prototype,`isSecretNeeded`,void 0),u([ee(`visavis-audit-log`)],Z.prototype,`auditLog`,void 0),Z=u([l(`visavis-admin`)],Z);var Q=async e=>({config:await e.json(),etag:e.headers.get(`ETag`)??``}),ae=(e,t)=>t?e.error===`ParameterStringLengthExceed`?n(`urlTooLong`):e.error===`ParameterFormatIncorrect`?n(`urlWrong`):n(`urlWithPassword`):n(`urlNeeded`),$=e=>oe(String(e)),oe=e=>{let t=re[e];return t?n(t):e||n(`none`)};