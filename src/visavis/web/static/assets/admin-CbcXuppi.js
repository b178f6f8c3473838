/* empty css             */import{f as e,g as t,h as n,i as r,l as i,m as a,n as o,o as s,p as c,t as l,v as u,x as d}from"./decorate-CtgOrm1A.js";import"./page-header-LrMTfrp2.js";import{n as f}from"./session-Dja4Jnsq.js";import{n as p,r as m}from"./format-DdnngG-R.js";import{n as h,t as g}from"./live-BxV-ieZe.js";import{t as _}from"./en-errors-CYU6_LxC.js";import{t as v}from"./refusal-CBjRxXIj.js";import{t as y}from"./icons-8fSdxDV9.js";var b=`/v4/livechat/recordingPolicy`,x={consent:`consent`,unrecordable:`unrecordable`,retentionDays:`retention`,secret:`secret`},S={notice:`consentNotice`,agreement:`consentAgreement`,refuse:`unrecordableRefuse`,continue:`unrecordableContinue`},ee={consent:[`notice`,`agreement`],unrecordable:[`refuse`,`continue`]},C=class extends n{constructor(...e){super(...e),this.etag=``,this.days=``,this.secret=``,this.status=``,this.isSaving=!1}static{this.styles=[r,d`
      :host { display: block; }
      form { display: grid; gap: 1rem; }
      .field p { margin: 0; font-weight: 400; }
      .bar { display: flex; flex-wrap: wrap; gap: 0.75rem; align-items: center; }
      .bar p { margin: 0; }
    `]}connectedCallback(){super.connectedCallback(),this.read()}render(){return u`<form class="card" novalidate aria-labelledby="policy-title" @submit=${this.submit}>
      <h2 id="policy-title">${i(`recordingPolicy`)}</h2>
      ${this.policy?this.fields(this.policy):u`<p class="quiet">${i(`loading`)}</p>`}
    </form>`}fields(e){return u`
      ${this.choice(`consent`,e,`consentHelp`)}
      ${this.choice(`unrecordable`,e,`unrecordableHelp`)}
      ${this.text(`retentionDays`,`retention`,`retentionHelp`,u`<input id="retentionDays" inputmode="numeric" autocomplete="off" .value=${g(this.days)}
        aria-invalid=${this.isWrong(`retentionDays`)} aria-describedby="retentionDays-help retentionDays-error"
        @input=${e=>this.days=this.typed(e)} />`)}
      ${this.text(`secret`,`secret`,e.hasSecret?`secretSet`:`secretNone`,u`<input id="secret" type="password" autocomplete="new-password" .value=${g(this.secret)}
        aria-invalid=${this.isWrong(`secret`)} aria-describedby="secret-help secret-error"
        @input=${e=>this.secret=this.typed(e)} />`)}
      <div class="bar">
        <button class="primary" ?disabled=${this.isSaving}>${i(`apply`)}</button>
        ${e.hasSecret?u`<button type="button" ?disabled=${this.isSaving} @click=${()=>this.put({secret:null})}>${i(`forgetSecret`)}</button>`:t}
        <p aria-live="polite" class=${this.problem?`error`:`quiet`}>${this.status}</p>
      </div>
    `}choice(e,t,n){return u`<div class="field">
      <label for=${e}>${i(x[e])}</label>
      <p class="quiet" id="${e}-help">${i(n)}</p>
      <select id=${e} aria-describedby="${e}-help" @change=${n=>this.policy={...t,[e]:this.typed(n)}}>
        ${ee[e].map(n=>u`<option value=${n} .selected=${t[e]===n}>${i(S[n])}</option>`)}
      </select>
    </div>`}text(e,n,r,a){return u`<div class="field">
      <label for=${e}>${i(n)}</label>
      <p class="quiet" id="${e}-help">${i(r)}</p>
      ${a}
      <p class="error" id="${e}-error">${this.isWrong(e)===`true`?this.problem?.message:t}</p>
    </div>`}isWrong(e){return this.problem?.pointer===`/${e}`?`true`:`false`}typed(e){return this.status=``,this.problem=void 0,e.target.value}async submit(e){if(e.preventDefault(),!this.policy)return;let{consent:t,unrecordable:n}=this.policy,r=this.days.trim(),i=r===``?null:/^\d+$/.test(r)?Number(r):r;await this.put({consent:t,unrecordable:n,retentionDays:i,...this.secret?{secret:this.secret}:{}})}async put(e){this.isSaving=!0,this.problem=void 0;try{let t={"Content-Type":`application/json`,"If-Match":this.etag};await this.answered(await fetch(b,{method:`PUT`,headers:t,body:JSON.stringify(e)}))}catch{this.fail({message:i(`saveFailed`)})}finally{this.isSaving=!1}}async answered(e){if(e.ok)await this.accept(e),this.status=i(`policySaved`),this.dispatchEvent(new Event(`saved`));else if(e.status===412)await this.read(),this.fail({message:i(`policyChanged`)});else{let t=await e.json();this.fail({pointer:t.pointer,message:v(_,t)})}}fail(e){this.problem=e,this.status=e.pointer?i(`notSaved`):e.message,e.pointer&&this.renderRoot.querySelector(`#${e.pointer.slice(1)}`)?.focus()}async read(){let e=await fetch(b);e.ok&&await this.accept(e)}async accept(e){this.policy=await e.json(),this.etag=e.headers.get(`ETag`)??``,this.days=this.policy.retentionDays===null?``:String(this.policy.retentionDays),this.secret=``}};l([e()],C.prototype,`policy`,void 0),l([e()],C.prototype,`etag`,void 0),l([e()],C.prototype,`days`,void 0),l([e()],C.prototype,`secret`,void 0),l([e()],C.prototype,`status`,void 0),l([e()],C.prototype,`problem`,void 0),l([e()],C.prototype,`isSaving`,void 0),C=l([a(`visavis-policy`)],C);var w=`/v4/global/auditLogs`,T=10,E={isEnabled:`switch`,isAutomaticallyRecordingAudioVideoChatsEnabled:`automaticRecording`,recordingServerUrl:`recordingServer`,address:`network`,attempts:`attempts`,permissions:`permissions`,grants:`grants`,...x,retentionDays:`retentionPeriod`},te={true:`on`,false:`off`,"for ever":`unlimited`,...S},D={recordingPlayed:`played`,recordingDownloaded:`downloaded`,recordingComposed:`composed`,recordingHeld:`held`,recordingReleased:`released`,recordingDeleted:`deleted`},O=[`audioAndVideoChatManagement`,`recordingPolicyManagement`],ne=[[`groupSettings`,O],[`groupRecordings`,Object.keys(D)],[`groupSignIns`,[`signedIn`,`signInFailed`,`signedOut`,`signedOutEverywhere`,`sessionEnded`,`passwordChanged`,`passwordReset`]],[`groupAgents`,[`agentCreated`,`agentDisabled`,`agentEnabled`,`agentPermissionsChanged`,`roleCreated`,`rolePermissionsChanged`,`roleAssigned`,`roleUnassigned`,`siteCreated`,`siteDisabled`,`siteEnabled`]],[`groupPrograms`,[`apiKeyCreated`,`apiKeyRotated`,`apiKeyDeleted`,`uploadKeyCreated`,`uploadKeyRotated`,`uploadKeyDeleted`,`uploadKeyRefused`,`clientCreated`,`clientGrantsChanged`,`clientSecretRotated`,`clientDisabled`,`clientEnabled`,`clientRefused`,`tokenIssued`,`tokenRotated`,`tokenRevoked`,`tokenReused`,`tokenRefused`]],[`groupAuditLog`,[`auditLogExported`,`auditLogTrimmed`]]],re={"command line":`commandLine`,system:`bySystem`,anonymous:`byStranger`},k=class extends n{constructor(...e){super(...e),this.exportable=!1,this.linked=!1,this.index=1,this.hasOlder=!1,this.failure=``,this.filters=new URLSearchParams}static{this.styles=[r,d`
      form { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(11rem, 100%), 1fr)); gap: 0.75rem; align-items: end; margin-bottom: 1rem; }
      input, select { min-width: 0; }
      ol { list-style: none; margin: 0; padding: 0; }
      li { padding: 0.75rem 0; border-top: 1px solid var(--line); overflow-wrap: anywhere; }
      li p { margin: 0.15rem 0 0; }
      a { color: var(--accent); }
      .bar { display: flex; flex-wrap: wrap; gap: 0.75rem; align-items: center; }
    `]}connectedCallback(){super.connectedCallback(),this.refresh()}async refresh(){await this.read(1)}render(){let e=this.filters.size>0;return u`<section class="card" aria-labelledby="history-title">
      <h2 id="history-title">${i(`history`)}</h2>
      <form role="search" aria-label=${i(`history`)} @change=${this.filter} @submit=${this.filter}>
        <label class="field">${i(`author`)}<input name="author" maxlength="200" autocomplete="off" /></label>
        <label class="field">${i(`action`)}
          <select name="actionType">
            <option value="">${i(`every`)}</option>
            ${ne.map(([e,t])=>u`<option value=${t.join(`,`)}>${i(e)}</option>`)}
          </select>
        </label>
        <label class="field">${i(`object`)}<input name="object" maxlength="200" autocomplete="off" /></label>
        <label class="field">${i(`from`)}<input name="from" type="date" /></label>
        <label class="field">${i(`to`)}<input name="to" type="date" /></label>
      </form>
      ${this.failure?u`<p class="error" role="alert">${this.failure}</p>`:t}
      ${this.entries?.length?u`<ol>${this.entries.map(e=>ae(e,this.linked))}</ol>`:t}
      ${this.entries?.length===0?u`<p class="quiet">${i(e?`nothingFound`:`noHistory`)}</p>`:t}
      <div class="bar">
        ${this.hasOlder?u`<button @click=${()=>this.read(this.index+1)}>${i(`older`)}</button>`:t}
        ${this.exportable?u`<a href="${w}:export?${this.filters.toString()}" download>${i(`exportLog`)}</a>`:t}
      </div>
    </section>`}filter(e){e.preventDefault();let t=e.currentTarget,n=[...new FormData(t).entries()].filter(([,e])=>e!==``);this.filters=new URLSearchParams(n.map(([e,t])=>[e,ie(e,t)])),this.read(1)}async read(e){try{let t=await fetch(`${w}?${this.filters.toString()}&pageIndex=${e}&pageSize=${T}`);if(!t.ok)throw Error(t.statusText);let n=await t.json();this.entries=e===1?n.auditLogs:[...this.entries??[],...n.auditLogs],this.index=e,this.hasOlder=n.nextPage!==``,this.failure=``}catch{this.failure=i(`loadFailed`)}}};l([c({type:Boolean})],k.prototype,`exportable`,void 0),l([c({type:Boolean})],k.prototype,`linked`,void 0),l([e()],k.prototype,`entries`,void 0),l([e()],k.prototype,`index`,void 0),l([e()],k.prototype,`hasOlder`,void 0),l([e()],k.prototype,`failure`,void 0),k=l([a(`visavis-audit-log`)],k);var ie=(e,t)=>{if(e!==`from`&&e!==`to`)return t;let[n=0,r=1,i=1]=t.split(`-`).map(Number);return new Date(n,r-1,i+ +(e===`to`)).toISOString()},ae=(e,t)=>u`<li>
  <span title=${e.createTime}>${p(e.createTime)}</span> · <span title=${e.agentEmail}>${A(e)}</span>
  ${j(e,t)}
</li>`,A=({agentName:e,agentEmail:t,author:n})=>{if(t)return e?`${e} (${t})`:t;let r=re[n];return r?i(r):n},j=(e,n)=>{let r=D[e.actionType];if(r)return u`<p class="quiet">${i(r)}: ${N(e,n)}</p>`;let a=O.includes(e.actionType);return u`
    ${a?t:u`<p>${e.actionSummary}</p>`}
    ${e.actionDetails.map(e=>u`<p class="quiet">${F(e.fieldName)}: ${M(e)}</p>`)}
  `},M=({oldValue:e,newValue:t,fieldName:n})=>n===`address`||n===`attempts`?t:`${I(e)} → ${I(t)}`,N=({actionDetails:e,actionSummary:t},n)=>{let r=e.find(({fieldName:e})=>e===`recording`),i=r?.newValue??``,a=P(t)||i||(r?.oldValue??``);return i&&n?u`<a href="/library?recording=${encodeURIComponent(i)}">${a}</a>`:a},P=e=>{let[,t,n]=/the recording of (\S+) with (.+?)(: kept for \d+ days)?$/.exec(e)??[];return t&&n?`${n}, ${p(`${t}Z`)}`:``},F=e=>{let t=E[e];return t?i(t):e},I=e=>{let t=te[e];return t?i(t):e||i(`none`)},L=`/v4/livechat/recordings?state=undelivered&pageSize=5`,R=5e3,z=2e4,B={waiting:`recordingWaits`,muxing:`recordingIsMade`,delivering:`recordingIsSent`,failed:`recordingFailed`},V=class extends n{constructor(...e){super(...e),this.hasFailed=!1,this.timer=0}static{this.styles=[r,d`
      :host { display: block; }
      dl { display: grid; grid-template-columns: minmax(8rem, max-content) 1fr; gap: 0.4rem 1rem; margin: 0; }
      dt { font-weight: 600; }
      dd { margin: 0; overflow-wrap: anywhere; }
      ol { list-style: none; margin: 1rem 0 0; padding: 0; }
      li { padding: 0.6rem 0; border-top: 1px solid var(--line); overflow-wrap: anywhere; }
      li p { margin: 0.15rem 0 0; }
      @media (max-width: 30rem) { dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: 0.6rem; } }
    `]}connectedCallback(){super.connectedCallback(),this.follow()}disconnectedCallback(){super.disconnectedCallback(),clearTimeout(this.timer)}render(){return u`<section class="card" aria-labelledby="delivery-title">
      <h2 id="delivery-title">${i(`delivery`)}</h2>
      ${this.hasFailed?u`<p class="error">${i(`loadFailed`)}</p>`:t}
      ${this.backlog?this.facts(this.backlog):u`<p class="quiet">${i(`loading`)}</p>`}
    </section>`}facts(e){let{pending:n,failed:r,incomplete:a,missing:o,oldestPending:c,lastSuccess:l,lastError:d,lastErrorTime:f}=e,m=c?` (${i(`oldestSince`)} ${p(c)})`:``;return u`
      <dl>
        <dt>${i(`backlog`)}</dt><dd id="backlog">${n?`${s(n,`oneRecording`,`manyRecordings`)}${m}`:i(`nothingWaits`)}</dd>
        ${r?u`<dt>${i(`failedRecordings`)}</dt><dd class="error">${s(r,`failedOne`,`failedMany`)}</dd>`:t}
        ${a?u`<dt>${i(`incompleteRecordings`)}</dt><dd class="warn">${s(a,`incompleteOne`,`incompleteMany`)}</dd>`:t}
        ${o?u`<dt>${i(`missingRecordings`)}</dt><dd class="warn">${s(o,`missingOne`,`missingMany`)}</dd>`:t}
        <dt>${i(`lastSuccess`)}</dt><dd id="last-success">${l?p(l):i(`neverYet`)}</dd>
        <dt>${i(`lastError`)}</dt><dd id="last-error" class=${d?`error`:``}>${d?`${H(f)}${d}`:i(`none`)}</dd>
      </dl>
      ${e.recordings.length?u`<ol aria-label=${i(`underWay`)}>${e.recordings.map(U)}</ol>`:t}
    `}async follow(){document.hidden||await this.load(),this.isConnected&&(this.timer=window.setTimeout(()=>void this.follow(),this.backlog?.pending?R:z))}async load(){try{let e=await fetch(L,{headers:{"Visavis-Background":`1`}});this.hasFailed=!e.ok,e.ok&&(this.backlog=await e.json())}catch{this.hasFailed=!0}}};l([e()],V.prototype,`backlog`,void 0),l([e()],V.prototype,`hasFailed`,void 0),V=l([a(`visavis-delivery`)],V);var H=e=>e?`${p(e)}: `:``,U=e=>{let n=e.size?` · ${m(e.uploaded)} ${i(`of`)} ${m(e.size)}`:``,r=e.nextTryAt?` · ${i(`nextTry`)} ${p(e.nextTryAt)}`:``;return u`<li>${p(e.startedAt)} · ${i(B[e.state]??`none`)}${n}${r}
    ${e.lastError?u`<p class="error small">${e.lastError}</p>`:t}</li>`},W=(e,t,n)=>{let r=Object.keys(n),i=(t,n)=>t[n]!==e[n],a={...n};for(let e of r)i(t,e)&&(a[e]=t[e]);return{merged:a,conflicts:r.filter(e=>i(t,e)&&i(n,e)&&t[e]!==n[e])}},G=`/v4/livechat/audioVideoChatConfig:testRecordingServer`,K=class extends n{constructor(...e){super(...e),this.url=``,this.isTrying=!1}static{this.styles=[r,d`
      :host { display: block; margin-top: 0.6rem; }
      button { white-space: normal; }
      p { margin: 0.4rem 0 0; overflow-wrap: anywhere; }
    `]}willUpdate(e){e.has(`url`)&&(this.verdict=void 0)}render(){return u`
      <button type="button" ?disabled=${this.isTrying||!this.url} @click=${this.tryOut}>${i(`testRecordingServer`)}</button>
      <div aria-live="polite">${this.outcome()}</div>
    `}outcome(){if(this.isTrying)return u`<p class="quiet">${i(`trying`)}</p>`;if(!this.verdict)return t;let{ok:e,message:n}=this.verdict;return u`<p class="line ${e?`good`:`error`}" id="verdict">${y(e?`good`:`warning`,18)} ${n}</p>`}async tryOut(){let{url:e}=this;this.isTrying=!0;let t=await q(e);this.isTrying=!1,e===this.url&&(this.verdict=t)}};l([c()],K.prototype,`url`,void 0),l([e()],K.prototype,`verdict`,void 0),l([e()],K.prototype,`isTrying`,void 0),K=l([a(`visavis-server-test`)],K);var q=async e=>{try{let t=await fetch(G,{method:`POST`,headers:{"Content-Type":`application/json`},body:JSON.stringify({recordingServerUrl:e})});return t.ok?await t.json():{ok:!1,message:v(_,await t.json())}}catch{return{ok:!1,message:i(`loadFailed`)}}},J=`/v4/livechat/audioVideoChatConfig`,Y=[`isEnabled`,`isAutomaticallyRecordingAudioVideoChatsEnabled`,`recordingServerUrl`],X={isEnabled:`switch`,isAutomaticallyRecordingAudioVideoChatsEnabled:`automaticRecording`,recordingServerUrl:`recordingServer`},oe={true:`on`,false:`off`},se=(e,t)=>Y.every(n=>e[n]===t[n]),Z=class extends n{constructor(...e){super(...e),this.conflicts=[],this.errors={},this.failure=``,this.status=``,this.isSaving=!1,this.isSecretNeeded=!1,this.secret=``}static{this.styles=[r,d`
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
      ${o}
      @media (prefers-reduced-motion: reduce) { * { transition: none !important; } }
    `]}async connectedCallback(){super.connectedCallback(),this.session=await f(),this.may(`Manage Settings`)&&(this.events=new EventSource(`${J}/events`),this.events.addEventListener(`config`,e=>this.hear(JSON.parse(e.data))))}disconnectedCallback(){super.disconnectedCallback(),this.events?.close()}render(){return this.session?u`
      <visavis-header current="settings" .session=${this.session}></visavis-header>
      <main>${this.may(`Manage Settings`)?this.content():u`<p class="card" role="alert">${i(`mayNotManage`)}</p>`}</main>
    `:t}content(){return u`
      ${this.failure?u`<p class="error" role="alert">${this.failure}</p>`:t}
      ${this.proxies()}
      ${this.theirs&&this.draft?this.conflict(this.theirs,this.draft):t}
      ${this.draft?this.form(this.draft):u`<p class="quiet">${i(`loading`)}</p>`}
      <visavis-delivery></visavis-delivery>
      <visavis-policy @saved=${()=>this.auditLog?.refresh()}></visavis-policy>
      ${this.may(`View Audit Log`)?u`<visavis-audit-log ?exportable=${this.session?.isAdministrator??!1} ?linked=${this.may(`View Recordings`)}></visavis-audit-log>`:t}
    `}proxies(){let e=this.session?.unlistedProxies??[];return e.length?u`<section class="card" aria-labelledby="unlisted-proxy">
      <h2 id="unlisted-proxy">${i(`unlistedProxy`)}</h2>
      <p class="quiet">${i(`unlistedProxyHelp`)}</p>
      <ul>${e.map(e=>u`<li><code>${e}</code></li>`)}</ul>
    </section>`:t}form(e){let n=(t,n)=>u`<div class="row">
      <div><label for=${t}>${i(X[t])}</label><p class="quiet" id="${t}-help">${i(n)}</p></div>
      <input type="checkbox" role="switch" id=${t} aria-describedby="${t}-help" .checked=${e[t]}
        @change=${e=>this.edit(t,e.target.checked)} />
    </div>`,r=this.errors.recordingServerUrl;return u`<form class="card" novalidate @submit=${this.submit}>
      <h1>${i(`callsAndRecording`)}</h1>
      ${n(`isEnabled`,`switchHelp`)}
      ${n(`isAutomaticallyRecordingAudioVideoChatsEnabled`,`automaticRecordingHelp`)}
      <div class="field">
        <label for="recordingServerUrl">${i(`recordingServer`)}</label>
        <p class="quiet" id="url-help">${i(`recordingServerHelp`)}</p>
        <input id="recordingServerUrl" type="url" inputmode="url" autocomplete="off" spellcheck="false" .value=${e.recordingServerUrl}
          aria-invalid=${r?`true`:`false`} aria-describedby="url-help url-error"
          @input=${e=>this.edit(`recordingServerUrl`,e.target.value)} />
        <p class="error" id="url-error">${r??t}</p>
        ${this.isSecretNeeded?this.secretField():t}
        <visavis-server-test .url=${e.recordingServerUrl}></visavis-server-test>
      </div>
      <div class="bar">
        <button class="primary" ?disabled=${!this.isEdited||this.isSaving}>${i(`save`)}</button>
        <button type="button" ?disabled=${!this.isEdited||this.isSaving} @click=${()=>this.discard()}>${i(`discard`)}</button>
        <p class="status quiet" role="status">${this.status}</p>
      </div>
    </form>`}secretField(){return u`<div role="group" aria-label=${i(`newServerSecret`)}>
      <p class="warn" role="alert">${i(`newServerSecretHelp`)}</p>
      <label for="newServerSecret">${i(`newServerSecret`)}</label>
      <input id="newServerSecret" type="password" autocomplete="new-password" .value=${this.secret}
        @input=${e=>this.secret=e.target.value} />
    </div>`}conflict(e,t){let n=this.conflicts.map(n=>u`<tr><th scope="row">${i(X[n])}</th><td data-whose=${i(`yours`)}>${$(t[n])}</td><td data-whose=${i(`theirs`)}>${$(e[n])}</td></tr>`);return u`<section class="card conflict" role="alert" aria-labelledby="conflict-title">
      <h2 id="conflict-title">${i(`conflict`)}</h2>
      <p>${i(`conflictHelp`)}</p>
      <table>
        <thead><tr><td></td><th scope="col">${i(`yours`)}</th><th scope="col">${i(`theirs`)}</th></tr></thead>
        <tbody>${n}</tbody>
      </table>
      <div class="bar">
        <button class="primary" @click=${this.keepMine}>${i(`keepMine`)}</button>
        <button @click=${this.takeTheirs}>${i(`takeTheirs`)}</button>
      </div>
    </section>`}may(e){return this.session?.permissions.includes(e)??!1}get isEdited(){return!!this.saved&&!!this.draft&&!se(this.saved.config,this.draft)}edit(e,t){this.draft&&(this.draft={...this.draft,[e]:t},this.errors={},this.status=``)}discard(){this.saved&&this.accept(this.saved)}hear(e){if(e.etag===this.saved?.etag||this.isSaving)return;let t=!this.saved;this.mergeWith(e),t?this.status=``:this.auditLog?.refresh()}mergeWith(e){if(!this.saved||!this.draft)return this.accept(e);let{merged:t,conflicts:n}=W(this.saved.config,this.draft,e.config);this.accept(e),this.draft=t,this.conflicts=n,this.theirs=n.length?e.config:void 0,this.status=n.length?``:i(`changedElsewhere`)}accept(e){this.saved=e,this.draft={...e.config},this.theirs=void 0,this.conflicts=[],this.errors={},this.failure=``,this.isSecretNeeded=!1,this.secret=``}takeTheirs(){let{theirs:e,draft:t}=this;e&&t&&(this.draft={...t,...Object.fromEntries(this.conflicts.map(t=>[t,e[t]]))},this.theirs=void 0,this.conflicts=[],this.status=i(`tookTheirs`))}async keepMine(){this.theirs=void 0,this.conflicts=[],await this.save()}async submit(e){e.preventDefault(),this.isEdited&&!this.theirs&&await this.save()}async save(){if(this.saved&&this.draft){this.isSaving=!0,this.status=i(`saving`),this.failure=``;try{let e={"Content-Type":`application/json`,"If-Match":this.saved.etag};await this.saveAnswered(await fetch(J,{method:`PUT`,headers:e,body:JSON.stringify(this.body(this.draft))}))}catch{this.fail(i(`saveFailed`))}finally{this.isSaving=!1}}}body(e){return this.isSecretNeeded?{...e,recordingServerSecret:this.secret}:e}async saveAnswered(e){if(e.ok)return this.accept(await Q(e)),this.status=i(`saved`),this.auditLog?.refresh();if(e.status===412){this.mergeWith(await Q(await fetch(J))),this.theirs||await this.save();return}e.status===401&&await f();let t=await e.json();if(t.pointer===`/recordingServerSecret`&&t.error===`ParameterMissing`){this.isSecretNeeded=!0,this.status=i(`notSaved`);return}let n=Y.find(e=>t.pointer===`/${e}`);if(!n)return this.fail(v(_,t));this.errors={[n]:ce(t,this.draft?.recordingServerUrl??``)},this.status=i(`notSaved`),this.renderRoot.querySelector(`#${n}`)?.focus()}fail(e){this.failure=e,this.status=``}};l([e()],Z.prototype,`session`,void 0),l([e()],Z.prototype,`saved`,void 0),l([e()],Z.prototype,`draft`,void 0),l([e()],Z.prototype,`theirs`,void 0),l([e()],Z.prototype,`conflicts`,void 0),l([e()],Z.prototype,`errors`,void 0),l([e()],Z.prototype,`failure`,void 0),l([e()],Z.prototype,`status`,void 0),l([e()],Z.prototype,`isSaving`,void 0),l([e()],Z.prototype,`isSecretNeeded`,void 0),l([h(`visavis-audit-log`)],Z.prototype,`auditLog`,void 0),Z=l([a(`visavis-admin`)],Z);var Q=async e=>({config:await e.json(),etag:e.headers.get(`ETag`)??``}),ce=(e,t)=>t?e.error===`ParameterStringLengthExceed`?i(`urlTooLong`):e.error===`ParameterFormatIncorrect`?i(`urlWrong`):i(`urlWithPassword`):i(`urlNeeded`),$=e=>le(String(e)),le=e=>{let t=oe[e];return t?i(t):e||i(`none`)};