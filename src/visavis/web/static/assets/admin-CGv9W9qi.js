import{d as e,f as t,g as n,m as r,n as i,p as a,r as o,s,t as c,u as l,y as u}from"./decorate-Bp4JMDkJ.js";import{n as d}from"./page-header-C90Alb0s.js";import{n as f,r as p}from"./format-DdnngG-R.js";import{n as m,t as h}from"./live-qks_D42-.js";import{t as g}from"./icons-DDBy4njY.js";var _=`/v4/livechat/recordingPolicy`,v={consent:`consent`,unrecordable:`unrecordable`,retentionDays:`retention`,secret:`secret`},y={notice:`consentNotice`,agreement:`consentAgreement`,refuse:`unrecordableRefuse`,continue:`unrecordableContinue`},b={consent:[`notice`,`agreement`],unrecordable:[`refuse`,`continue`]},x=class extends a{constructor(...e){super(...e),this.etag=``,this.days=``,this.secret=``,this.status=``,this.isSaving=!1}static{this.styles=[o,u`
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
      ${this.text(`retentionDays`,`retention`,`retentionHelp`,n`<input id="retentionDays" inputmode="numeric" autocomplete="off" .value=${h(this.days)}
        aria-invalid=${this.isWrong(`retentionDays`)} aria-describedby="retentionDays-help retentionDays-error"
        @input=${e=>this.days=this.typed(e)} />`)}
      ${this.text(`secret`,`secret`,e.hasSecret?`secretSet`:`secretNone`,n`<input id="secret" type="password" autocomplete="new-password" .value=${h(this.secret)}
        aria-invalid=${this.isWrong(`secret`)} aria-describedby="secret-help secret-error"
        @input=${e=>this.secret=this.typed(e)} />`)}
      <div class="bar">
        <button class="primary" ?disabled=${this.isSaving}>${s(`apply`)}</button>
        ${e.hasSecret?n`<button type="button" ?disabled=${this.isSaving} @click=${()=>this.put({secret:null})}>${s(`forgetSecret`)}</button>`:r}
        <p aria-live="polite" class=${this.problem?`error`:`quiet`}>${this.status}</p>
      </div>
    `}choice(e,t,r){return n`<div class="field">
      <label for=${e}>${s(v[e])}</label>
      <p class="quiet" id="${e}-help">${s(r)}</p>
      <select id=${e} aria-describedby="${e}-help" @change=${n=>this.policy={...t,[e]:this.typed(n)}}>
        ${b[e].map(r=>n`<option value=${r} .selected=${t[e]===r}>${s(y[r])}</option>`)}
      </select>
    </div>`}text(e,t,i,a){return n`<div class="field">
      <label for=${e}>${s(t)}</label>
      <p class="quiet" id="${e}-help">${s(i)}</p>
      ${a}
      <p class="error" id="${e}-error">${this.isWrong(e)===`true`?this.problem?.message:r}</p>
    </div>`}isWrong(e){return this.problem?.pointer===`/${e}`?`true`:`false`}typed(e){return this.status=``,this.problem=void 0,e.target.value}async submit(e){if(e.preventDefault(),!this.policy)return;let{consent:t,unrecordable:n}=this.policy,r=this.days.trim(),i=r===``?null:/^\d+$/.test(r)?Number(r):r;await this.put({consent:t,unrecordable:n,retentionDays:i,...this.secret?{secret:this.secret}:{}})}async put(e){this.isSaving=!0,this.problem=void 0;try{let t={"Content-Type":`application/json`,"If-Match":this.etag};await this.answered(await fetch(_,{method:`PUT`,headers:t,body:JSON.stringify(e)}))}catch{this.fail({message:s(`saveFailed`)})}finally{this.isSaving=!1}}async answered(e){e.ok?(await this.accept(e),this.status=s(`policySaved`),this.dispatchEvent(new Event(`saved`))):e.status===412?(await this.read(),this.fail({message:s(`policyChanged`)})):this.fail(await e.json())}fail(e){this.problem=e,this.status=e.pointer?s(`notSaved`):e.message,e.pointer&&this.renderRoot.querySelector(`#${e.pointer.slice(1)}`)?.focus()}async read(){let e=await fetch(_);e.ok&&await this.accept(e)}async accept(e){this.policy=await e.json(),this.etag=e.headers.get(`ETag`)??``,this.days=this.policy.retentionDays===null?``:String(this.policy.retentionDays),this.secret=``}};c([l()],x.prototype,`policy`,void 0),c([l()],x.prototype,`etag`,void 0),c([l()],x.prototype,`days`,void 0),c([l()],x.prototype,`secret`,void 0),c([l()],x.prototype,`status`,void 0),c([l()],x.prototype,`problem`,void 0),c([l()],x.prototype,`isSaving`,void 0),x=c([t(`visavis-policy`)],x);var S=`/v4/global/auditLogs`,C=10,ee={isEnabled:`switch`,isAutomaticallyRecordingAudioVideoChatsEnabled:`automaticRecording`,recordingServerUrl:`recordingServer`,address:`network`,attempts:`attempts`,permissions:`permissions`,grants:`grants`,...v},w={true:`on`,false:`off`,...y},T={recordingPlayed:`played`,recordingDownloaded:`downloaded`,recordingComposed:`composed`,recordingHeld:`held`,recordingReleased:`released`,recordingDeleted:`deleted`},E=[`audioAndVideoChatManagement`,`recordingPolicyManagement`],D=[[`groupSettings`,E],[`groupRecordings`,Object.keys(T)],[`groupSignIns`,[`signedIn`,`signInFailed`,`signedOut`,`signedOutEverywhere`,`sessionEnded`,`passwordChanged`,`passwordReset`]],[`groupAgents`,[`agentCreated`,`agentDisabled`,`agentEnabled`,`agentPermissionsChanged`,`roleCreated`,`rolePermissionsChanged`,`roleAssigned`,`roleUnassigned`,`siteCreated`,`siteDisabled`,`siteEnabled`]],[`groupPrograms`,[`apiKeyCreated`,`apiKeyRotated`,`apiKeyDeleted`,`uploadKeyCreated`,`uploadKeyRotated`,`uploadKeyDeleted`,`uploadKeyRefused`,`clientCreated`,`clientGrantsChanged`,`clientSecretRotated`,`clientDisabled`,`clientEnabled`,`clientRefused`,`tokenIssued`,`tokenRotated`,`tokenRevoked`,`tokenReused`,`tokenRefused`]],[`groupAuditLog`,[`auditLogExported`,`auditLogTrimmed`]]],O={"command line":`commandLine`,system:`bySystem`,anonymous:`byStranger`},k=class extends a{constructor(...e){super(...e),this.exportable=!1,this.index=1,this.hasOlder=!1,this.failure=``,this.filters=new URLSearchParams}static{this.styles=[o,u`
      form { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(11rem, 100%), 1fr)); gap: 0.75rem; align-items: end; margin-bottom: 1rem; }
      input, select { min-width: 0; }
      ol { list-style: none; margin: 0; padding: 0; }
      li { padding: 0.75rem 0; border-top: 1px solid var(--line); overflow-wrap: anywhere; }
      li p { margin: 0.15rem 0 0; }
      a { color: var(--accent); }
      .bar { display: flex; flex-wrap: wrap; gap: 0.75rem; align-items: center; }
    `]}connectedCallback(){super.connectedCallback(),this.refresh()}async refresh(){await this.read(1)}render(){let e=this.filters.size>0;return n`<section class="card" aria-labelledby="history-title">
      <h2 id="history-title">${s(`history`)}</h2>
      <form role="search" aria-label=${s(`history`)} @change=${this.filter} @submit=${this.filter}>
        <label class="field">${s(`author`)}<input name="author" maxlength="200" autocomplete="off" /></label>
        <label class="field">${s(`action`)}
          <select name="actionType">
            <option value="">${s(`every`)}</option>
            ${D.map(([e,t])=>n`<option value=${t.join(`,`)}>${s(e)}</option>`)}
          </select>
        </label>
        <label class="field">${s(`object`)}<input name="object" maxlength="200" autocomplete="off" /></label>
        <label class="field">${s(`from`)}<input name="from" type="date" /></label>
        <label class="field">${s(`to`)}<input name="to" type="date" /></label>
      </form>
      ${this.failure?n`<p class="error" role="alert">${this.failure}</p>`:r}
      ${this.entries?.length?n`<ol>${this.entries.map(ne)}</ol>`:r}
      ${this.entries?.length===0?n`<p class="quiet">${s(e?`nothingFound`:`noHistory`)}</p>`:r}
      <div class="bar">
        ${this.hasOlder?n`<button @click=${()=>this.read(this.index+1)}>${s(`older`)}</button>`:r}
        ${this.exportable?n`<a href="${S}:export?${this.filters.toString()}" download>${s(`exportLog`)}</a>`:r}
      </div>
    </section>`}filter(e){e.preventDefault();let t=e.currentTarget,n=[...new FormData(t).entries()].filter(([,e])=>e!==``);this.filters=new URLSearchParams(n.map(([e,t])=>[e,te(e,t)])),this.read(1)}async read(e){try{let t=await fetch(`${S}?${this.filters.toString()}&pageIndex=${e}&pageSize=${C}`);if(!t.ok)throw Error(t.statusText);let n=await t.json();this.entries=e===1?n.auditLogs:[...this.entries??[],...n.auditLogs],this.index=e,this.hasOlder=n.nextPage!==``,this.failure=``}catch{this.failure=s(`loadFailed`)}}};c([e({type:Boolean})],k.prototype,`exportable`,void 0),c([l()],k.prototype,`entries`,void 0),c([l()],k.prototype,`index`,void 0),c([l()],k.prototype,`hasOlder`,void 0),c([l()],k.prototype,`failure`,void 0),k=c([t(`visavis-audit-log`)],k);var te=(e,t)=>{if(e!==`from`&&e!==`to`)return t;let[n=0,r=1,i=1]=t.split(`-`).map(Number);return new Date(n,r-1,i+ +(e===`to`)).toISOString()},ne=e=>n`<li>
  <span title=${e.createTime}>${f(e.createTime)}</span> · <span title=${e.agentEmail}>${A(e)}</span>
  ${j(e)}
</li>`,A=({agentName:e,agentEmail:t,author:n})=>{if(t)return e?`${e} (${t})`:t;let r=O[n];return r?s(r):n},j=e=>{let t=T[e.actionType];if(t)return n`<p class="quiet">${s(t)}: ${N(e)}</p>`;let i=E.includes(e.actionType);return n`
    ${i?r:n`<p>${e.actionSummary}</p>`}
    ${e.actionDetails.map(e=>n`<p class="quiet">${F(e.fieldName)}: ${M(e)}</p>`)}
  `},M=({oldValue:e,newValue:t,fieldName:n})=>n===`address`||n===`attempts`?t:`${I(e)} → ${I(t)}`,N=({actionDetails:e,actionSummary:t})=>{let r=e.find(({fieldName:e})=>e===`recording`),i=r?.newValue??``,a=P(t)||i||(r?.oldValue??``);return i?n`<a href="/library?recording=${encodeURIComponent(i)}">${a}</a>`:a},P=e=>{let[,t,n]=/the recording of (\S+) with (.+?)(: kept for \d+ days)?$/.exec(e)??[];return t&&n?`${n}, ${f(`${t}Z`)}`:``},F=e=>{let t=ee[e];return t?s(t):e},I=e=>{let t=w[e];return t?s(t):e||s(`none`)},L=`/v4/livechat/recordings?state=undelivered&pageSize=5`,R=5e3,z=2e4,B={waiting:`recordingWaits`,muxing:`recordingIsMade`,delivering:`recordingIsSent`,failed:`recordingFailed`},V=class extends a{constructor(...e){super(...e),this.hasFailed=!1,this.timer=0}static{this.styles=[o,u`
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
    </section>`}facts(e){let{pending:t,failed:i,incomplete:a,missing:o,oldestPending:c,lastSuccess:l,lastError:u,lastErrorTime:d}=e,p=c?` (${s(`oldestSince`)} ${f(c)})`:``;return n`
      <dl>
        <dt>${s(`backlog`)}</dt><dd id="backlog">${t?`${t}${p}`:s(`nothingWaits`)}</dd>
        ${i?n`<dt>${s(`recordingFailed`)}</dt><dd class="error">${i}: ${s(`failedHelp`)}</dd>`:r}
        ${a?n`<dt>${s(`incompleteRecordings`)}</dt><dd class="warn">${a}: ${s(`incompleteHelp`)}</dd>`:r}
        ${o?n`<dt>${s(`missingRecordings`)}</dt><dd class="warn">${o===1?s(`missingOne`):s(`missingMany`).replace(`%`,String(o))}</dd>`:r}
        <dt>${s(`lastSuccess`)}</dt><dd id="last-success">${l?f(l):s(`neverYet`)}</dd>
        <dt>${s(`lastError`)}</dt><dd id="last-error" class=${u?`error`:``}>${u?`${H(d)}${u}`:s(`none`)}</dd>
      </dl>
      ${e.recordings.length?n`<ol aria-label=${s(`underWay`)}>${e.recordings.map(U)}</ol>`:r}
    `}async follow(){document.hidden||await this.load(),this.isConnected&&(this.timer=window.setTimeout(()=>void this.follow(),this.backlog?.pending?R:z))}async load(){try{let e=await fetch(L,{headers:{"Visavis-Background":`1`}});this.hasFailed=!e.ok,e.ok&&(this.backlog=await e.json())}catch{this.hasFailed=!0}}};c([l()],V.prototype,`backlog`,void 0),c([l()],V.prototype,`hasFailed`,void 0),V=c([t(`visavis-delivery`)],V);var H=e=>e?`${f(e)}: `:``,U=e=>{let t=e.size?` · ${p(e.uploaded)} ${s(`of`)} ${p(e.size)}`:``,i=e.nextTryAt?` · ${s(`nextTry`)} ${f(e.nextTryAt)}`:``;return n`<li>${f(e.startedAt)} · ${s(B[e.state])}${t}${i}
    ${e.lastError?n`<p class="error small">${e.lastError}</p>`:r}</li>`},W=(e,t,n)=>{let r=Object.keys(n),i=(t,n)=>t[n]!==e[n],a={...n};for(let e of r)i(t,e)&&(a[e]=t[e]);return{merged:a,conflicts:r.filter(e=>i(t,e)&&i(n,e)&&t[e]!==n[e])}},G=`/v4/livechat/audioVideoChatConfig:testRecordingServer`,K=class extends a{constructor(...e){super(...e),this.url=``,this.isTrying=!1}static{this.styles=[o,u`
      :host { display: block; margin-top: 0.6rem; }
      p { margin: 0.4rem 0 0; overflow-wrap: anywhere; }
    `]}willUpdate(e){e.has(`url`)&&(this.verdict=void 0)}render(){return n`
      <button type="button" ?disabled=${this.isTrying||!this.url} @click=${this.tryOut}>${s(`testRecordingServer`)}</button>
      <div aria-live="polite">${this.outcome()}</div>
    `}outcome(){if(this.isTrying)return n`<p class="quiet">${s(`trying`)}</p>`;if(!this.verdict)return r;let{ok:e,message:t}=this.verdict;return n`<p class="line ${e?`good`:`error`}" id="verdict">${g(e?`good`:`warning`,18)} ${t}</p>`}async tryOut(){let{url:e}=this;this.isTrying=!0;let t=await q(e);this.isTrying=!1,e===this.url&&(this.verdict=t)}};c([e()],K.prototype,`url`,void 0),c([l()],K.prototype,`verdict`,void 0),c([l()],K.prototype,`isTrying`,void 0),K=c([t(`visavis-trial`)],K);var q=async e=>{try{let{ok:t=!1,message:n}=await(await fetch(G,{method:`POST`,headers:{"Content-Type":`application/json`},body:JSON.stringify({recordingServerUrl:e})})).json();return{ok:t,message:n??s(`loadFailed`)}}catch{return{ok:!1,message:s(`loadFailed`)}}},J=`/v4/livechat/audioVideoChatConfig`,Y=[`isEnabled`,`isAutomaticallyRecordingAudioVideoChatsEnabled`,`recordingServerUrl`],X={isEnabled:`switch`,isAutomaticallyRecordingAudioVideoChatsEnabled:`automaticRecording`,recordingServerUrl:`recordingServer`},re={true:`on`,false:`off`},ie=(e,t)=>Y.every(n=>e[n]===t[n]),Z=class extends a{constructor(...e){super(...e),this.conflicts=[],this.errors={},this.failure=``,this.status=``,this.isSaving=!1,this.isSecretNeeded=!1,this.secret=``}static{this.styles=[o,u`
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
      ${i}
      @media (prefers-reduced-motion: reduce) { * { transition: none !important; } }
    `]}async connectedCallback(){super.connectedCallback(),this.session=await d(),this.may(`Manage Settings`)&&(this.events=new EventSource(`${J}/events`),this.events.addEventListener(`config`,e=>this.hear(JSON.parse(e.data))))}disconnectedCallback(){super.disconnectedCallback(),this.events?.close()}render(){return this.session?n`
      <visavis-header current="settings" .session=${this.session}></visavis-header>
      <main>${this.may(`Manage Settings`)?this.content():n`<p class="card" role="alert">${s(`mayNotManage`)}</p>`}</main>
    `:r}content(){return n`
      ${this.failure?n`<p class="error" role="alert">${this.failure}</p>`:r}
      ${this.proxies()}
      ${this.theirs&&this.draft?this.conflict(this.theirs,this.draft):r}
      ${this.draft?this.form(this.draft):n`<p class="quiet">${s(`loading`)}</p>`}
      <visavis-delivery></visavis-delivery>
      <visavis-policy @saved=${()=>this.auditLog?.refresh()}></visavis-policy>
      ${this.may(`View Audit Log`)?n`<visavis-audit-log ?exportable=${this.session?.isAdministrator??!1}></visavis-audit-log>`:r}
    `}proxies(){let e=this.session?.unlistedProxies??[];return e.length?n`<section class="card" aria-labelledby="unlisted-proxy">
      <h2 id="unlisted-proxy">${s(`unlistedProxy`)}</h2>
      <p class="quiet">${s(`unlistedProxyHelp`)}</p>
      <ul>${e.map(e=>n`<li><code>${e}</code></li>`)}</ul>
    </section>`:r}form(e){let t=(t,r)=>n`<div class="row">
      <div><label for=${t}>${s(X[t])}</label><p class="quiet" id="${t}-help">${s(r)}</p></div>
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
        ${this.isSecretNeeded?this.secretField():r}
        <visavis-trial .url=${e.recordingServerUrl}></visavis-trial>
      </div>
      <div class="bar">
        <button class="primary" ?disabled=${!this.isEdited||this.isSaving}>${s(`save`)}</button>
        <button type="button" ?disabled=${!this.isEdited||this.isSaving} @click=${()=>this.discard()}>${s(`discard`)}</button>
        <p class="status quiet" role="status">${this.status}</p>
      </div>
    </form>`}secretField(){return n`<div role="group" aria-label=${s(`newServerSecret`)}>
      <p class="warn" role="alert">${s(`newServerSecretHelp`)}</p>
      <label for="newServerSecret">${s(`newServerSecret`)}</label>
      <input id="newServerSecret" type="password" autocomplete="new-password" .value=${this.secret}
        @input=${e=>this.secret=e.target.value} />
    </div>`}conflict(e,t){let r=this.conflicts.map(r=>n`<tr><th scope="row">${s(X[r])}</th><td data-whose=${s(`yours`)}>${$(t[r])}</td><td data-whose=${s(`theirs`)}>${$(e[r])}</td></tr>`);return n`<section class="card conflict" role="alert" aria-labelledby="conflict-title">
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
    </section>`}may(e){return this.session?.permissions.includes(e)??!1}get isEdited(){return!!this.saved&&!!this.draft&&!ie(this.saved.config,this.draft)}edit(e,t){this.draft&&(this.draft={...this.draft,[e]:t},this.errors={},this.status=``)}discard(){this.saved&&this.accept(this.saved)}hear(e){if(e.etag===this.saved?.etag||this.isSaving)return;let t=!this.saved;this.mergeWith(e),t?this.status=``:this.auditLog?.refresh()}mergeWith(e){if(!this.saved||!this.draft)return this.accept(e);let{merged:t,conflicts:n}=W(this.saved.config,this.draft,e.config);this.accept(e),this.draft=t,this.conflicts=n,this.theirs=n.length?e.config:void 0,this.status=n.length?``:s(`changedElsewhere`)}accept(e){this.saved=e,this.draft={...e.config},this.theirs=void 0,this.conflicts=[],this.errors={},this.failure=``,this.isSecretNeeded=!1,this.secret=``}takeTheirs(){let{theirs:e,draft:t}=this;e&&t&&(this.draft={...t,...Object.fromEntries(this.conflicts.map(t=>[t,e[t]]))},this.theirs=void 0,this.conflicts=[],this.status=s(`tookTheirs`))}async keepMine(){this.theirs=void 0,this.conflicts=[],await this.save()}async submit(e){e.preventDefault(),this.isEdited&&!this.theirs&&await this.save()}async save(){if(this.saved&&this.draft){this.isSaving=!0,this.status=s(`saving`),this.failure=``;try{let e={"Content-Type":`application/json`,"If-Match":this.saved.etag};await this.saveAnswered(await fetch(J,{method:`PUT`,headers:e,body:JSON.stringify(this.body(this.draft))}))}catch{this.fail(s(`saveFailed`))}finally{this.isSaving=!1}}}body(e){return this.isSecretNeeded?{...e,recordingServerSecret:this.secret}:e}async saveAnswered(e){if(e.ok)return this.accept(await Q(e)),this.status=s(`saved`),this.auditLog?.refresh();if(e.status===412){this.mergeWith(await Q(await fetch(J))),this.theirs||await this.save();return}e.status===401&&await d();let t=await e.json();if(t.pointer===`/recordingServerSecret`&&t.error===`ParameterMissing`){this.isSecretNeeded=!0,this.status=s(`notSaved`);return}let n=Y.find(e=>t.pointer===`/${e}`);if(!n)return this.fail(t.message);this.errors={[n]:ae(t,this.draft?.recordingServerUrl??``)},this.status=s(`notSaved`),this.renderRoot.querySelector(`#${n}`)?.focus()}fail(e){this.failure=e,this.status=``}};c([l()],Z.prototype,`session`,void 0),c([l()],Z.prototype,`saved`,void 0),c([l()],Z.prototype,`draft`,void 0),c([l()],Z.prototype,`theirs`,void 0),c([l()],Z.prototype,`conflicts`,void 0),c([l()],Z.prototype,`errors`,void 0),c([l()],Z.prototype,`failure`,void 0),c([l()],Z.prototype,`status`,void 0),c([l()],Z.prototype,`isSaving`,void 0),c([l()],Z.prototype,`isSecretNeeded`,void 0),c([m(`visavis-audit-log`)],Z.prototype,`auditLog`,void 0),Z=c([t(`visavis-admin`)],Z);var Q=async e=>({config:await e.json(),etag:e.headers.get(`ETag`)??``}),ae=(e,t)=>t?e.error===`ParameterStringLengthExceed`?s(`urlTooLong`):e.error===`ParameterFormatIncorrect`?s(`urlWrong`):s(`urlWithPassword`):s(`urlNeeded`),$=e=>oe(String(e)),oe=e=>{let t=re[e];return t?s(t):e||s(`none`)};