/* empty css             */import{f as e,g as t,h as n,i as r,l as i,m as a,n as o,o as s,p as c,t as l,v as u,x as d}from"./decorate-COi_vpsM.js";import"./page-header-BEDE_lPH.js";import{n as f}from"./session-Dja4Jnsq.js";import{n as p,r as m}from"./format-DdnngG-R.js";import{n as ee,t as h}from"./live-BaUjhx3D.js";import{t as g}from"./en-errors-BBT1mNW6.js";import{t as _}from"./refusal-CBjRxXIj.js";import{t as v}from"./icons-DFuJoy0V.js";var y=(e,t,n)=>{let r=Object.keys(n),i=(t,n)=>t[n]!==e[n],a={...n};for(let e of r)i(t,e)&&(a[e]=t[e]);return{merged:a,conflicts:r.filter(e=>i(t,e)&&i(n,e)&&t[e]!==n[e])}},b=`/v4/livechat/recordingPolicy`,te=5,x=async e=>({policy:await e.json(),etag:e.headers.get(`ETag`)??``}),S=async()=>{let e=await fetch(b);return e.ok?x(e):void 0},C=(e,t)=>t===`secret`?e.hasSecret:e[t],ne=(e,t,n)=>Object.entries(e).filter(([e,r])=>{let i=C(n.policy,e);return i!==C(t.policy,e)&&i!==r}).map(([e])=>e),w=async(e,t)=>{let n=e;for(let r=0;r<te;r++){let r={"Content-Type":`application/json`,"If-Match":n.etag},i=await fetch(b,{method:`PUT`,headers:r,body:JSON.stringify(t)});if(i.ok)return{saved:await x(i)};if(i.status!==412)return{problem:await i.json()};let a=await S();if(!a)break;let o=ne(t,e,a);if(o.length)return{saved:a,conflicts:o};n=a}throw Error(`the policy could not be saved`)},T=[`ringSeconds`,`queueSeconds`,`connectSeconds`,`resumeSeconds`,`ringLimit`],E={ringSeconds:`ringSeconds`,queueSeconds:`queueSeconds`,connectSeconds:`connectSeconds`,resumeSeconds:`resumeSeconds`,ringLimit:`ringLimit`},re={ringSeconds:`ringSecondsHelp`,queueSeconds:`queueSecondsHelp`,connectSeconds:`connectSecondsHelp`,resumeSeconds:`resumeSecondsHelp`,ringLimit:`ringLimitHelp`},D=e=>Object.fromEntries(T.map(t=>[t,String(e[t]??``)])),ie=(e,t)=>e===`ringLimit`&&t===``?null:/^\d+$/.test(t)?Number(t):t,O=class extends n{constructor(...e){super(...e),this.status=``,this.isFailure=!1,this.isSaving=!1}static{this.styles=[r,d`
      :host { display: block; }
      form { display: grid; gap: 1rem; }
      .field p { margin: 0; font-weight: 400; }
      .bar { display: flex; flex-wrap: wrap; gap: 0.75rem; align-items: center; }
      .bar p { margin: 0; }
    `]}connectedCallback(){super.connectedCallback(),this.read()}render(){return u`<form class="card" novalidate aria-labelledby="calls-title" @submit=${this.submit}>
      <h2 id="calls-title">${i(`callSettings`)}</h2>
      ${this.draft?this.fields(this.draft):u`<p class="quiet">${i(`loading`)}</p>`}
    </form>`}fields(e){return u`
      ${T.map(t=>this.field(t,e))}
      <div class="bar">
        <button class="primary" ?disabled=${this.isSaving}>${i(`apply`)}</button>
        <p aria-live="polite" class=${this.isFailure?`error`:`quiet`}>${this.status}</p>
      </div>
    `}field(e,n){let r=this.wrong?.field===e?this.wrong.message:void 0;return u`<div class="field">
      <label for=${e}>${i(E[e])}</label>
      <p class="quiet" id="${e}-help">${i(re[e])}</p>
      <input id=${e} inputmode="numeric" autocomplete="off" .value=${h(n[e])}
        aria-invalid=${r?`true`:`false`} aria-describedby="${e}-help ${e}-error"
        @input=${t=>this.edit(e,t.target.value)} />
      <p class="error" id="${e}-error">${r??t}</p>
    </div>`}edit(e,t){this.draft&&={...this.draft,[e]:t},this.wrong=void 0,this.status=``}async submit(e){e.preventDefault();let{saved:t,draft:n}=this;if(!t||!n||this.isSaving)return;let r=D(t.policy),a=Object.fromEntries(T.filter(e=>n[e].trim()!==r[e]).map(e=>[e,ie(e,n[e].trim())]));this.isSaving=!0,this.wrong=void 0;try{this.answered(await w(t,a))}catch{this.tell(i(`saveFailed`),!0)}finally{this.isSaving=!1}}answered({saved:e,problem:t,conflicts:n}){if(t)return this.refused(_(g,t),t.pointer??``);if(e){if(n&&this.saved&&this.draft){this.draft=y(D(this.saved.policy),this.draft,D(e.policy)).merged,this.saved=e;let t=n.map(e=>i(E[e])).join(`, `);return this.tell(i(`callsConflict`).replace(`%`,t),!0)}this.accept(e),this.tell(i(`callsSaved`),!1),this.dispatchEvent(new Event(`saved`))}}refused(e,t){let n=T.find(e=>t===`/${e}`);if(!n)return this.tell(e,!0);this.wrong={field:n,message:e},this.tell(i(`notSaved`),!0),this.renderRoot.querySelector(`#${n}`)?.focus()}tell(e,t){Object.assign(this,{status:e,isFailure:t})}accept(e){this.saved=e,this.draft=D(e.policy)}async read(){let e=await S();e&&this.accept(e)}};l([e()],O.prototype,`saved`,void 0),l([e()],O.prototype,`draft`,void 0),l([e()],O.prototype,`wrong`,void 0),l([e()],O.prototype,`status`,void 0),l([e()],O.prototype,`isFailure`,void 0),l([e()],O.prototype,`isSaving`,void 0),O=l([a(`visavis-call-settings`)],O);var k={consent:`consent`,unrecordable:`unrecordable`,retentionDays:`retention`,secret:`secret`},A={notice:`consentNotice`,agreement:`consentAgreement`,refuse:`unrecordableRefuse`,continue:`unrecordableContinue`},ae={consent:[`notice`,`agreement`],unrecordable:[`refuse`,`continue`]},j=class extends n{constructor(...e){super(...e),this.days=``,this.secret=``,this.status=``,this.isSaving=!1}static{this.styles=[r,d`
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
      ${this.text(`retentionDays`,`retention`,`retentionHelp`,u`<input id="retentionDays" inputmode="numeric" autocomplete="off" .value=${h(this.days)}
        aria-invalid=${this.isWrong(`retentionDays`)} aria-describedby="retentionDays-help retentionDays-error"
        @input=${e=>this.days=this.typed(e)} />`)}
      ${this.text(`secret`,`secret`,e.hasSecret?`secretSet`:`secretNone`,u`<input id="secret" type="password" autocomplete="new-password" .value=${h(this.secret)}
        aria-invalid=${this.isWrong(`secret`)} aria-describedby="secret-help secret-error"
        @input=${e=>this.secret=this.typed(e)} />`)}
      <div class="bar">
        <button class="primary" ?disabled=${this.isSaving}>${i(`apply`)}</button>
        ${e.hasSecret?u`<button type="button" ?disabled=${this.isSaving} @click=${()=>this.put({secret:null})}>${i(`forgetSecret`)}</button>`:t}
        <p aria-live="polite" class=${this.problem?`error`:`quiet`}>${this.status}</p>
      </div>
    `}choice(e,t,n){return u`<div class="field">
      <label for=${e}>${i(k[e])}</label>
      <p class="quiet" id="${e}-help">${i(n)}</p>
      <select id=${e} aria-describedby="${e}-help" @change=${n=>this.policy={...t,[e]:this.typed(n)}}>
        ${ae[e].map(n=>u`<option value=${n} .selected=${t[e]===n}>${i(A[n])}</option>`)}
      </select>
    </div>`}text(e,n,r,a){return u`<div class="field">
      <label for=${e}>${i(n)}</label>
      <p class="quiet" id="${e}-help">${i(r)}</p>
      ${a}
      <p class="error" id="${e}-error">${this.isWrong(e)===`true`?this.problem?.message:t}</p>
    </div>`}isWrong(e){return this.problem?.pointer===`/${e}`?`true`:`false`}typed(e){return this.status=``,this.problem=void 0,e.target.value}async submit(e){if(e.preventDefault(),!this.policy||!this.saved)return;let{consent:t,unrecordable:n}=this.policy,r=this.days.trim(),i=r===``?null:/^\d+$/.test(r)?Number(r):r,a=this.saved.policy,o=Object.entries({consent:t,unrecordable:n,retentionDays:i}).filter(([e,t])=>t!==a[e]);await this.put({...Object.fromEntries(o),...this.secret?{secret:this.secret}:{}})}async put(e){if(this.saved){this.isSaving=!0,this.problem=void 0;try{this.answered(await w(this.saved,e))}catch{this.fail({message:i(`saveFailed`)})}finally{this.isSaving=!1}}}answered({saved:e,problem:t,conflicts:n}){if(t)return this.fail({pointer:t.pointer,message:_(g,t)});if(e&&this.accept(e),n)return this.fail({message:i(`policyChanged`)});this.status=i(`policySaved`),this.dispatchEvent(new Event(`saved`))}fail(e){this.problem=e,this.status=e.pointer?i(`notSaved`):e.message,e.pointer&&this.renderRoot.querySelector(`#${e.pointer.slice(1)}`)?.focus()}async read(){let e=await S();e&&this.accept(e)}accept(e){this.saved=e,this.policy=e.policy,this.days=this.policy.retentionDays===null?``:String(this.policy.retentionDays),this.secret=``}};l([e()],j.prototype,`policy`,void 0),l([e()],j.prototype,`days`,void 0),l([e()],j.prototype,`secret`,void 0),l([e()],j.prototype,`status`,void 0),l([e()],j.prototype,`problem`,void 0),l([e()],j.prototype,`isSaving`,void 0),j=l([a(`visavis-policy`)],j);var M=`/v4/global/auditLogs`,oe=10,se={isEnabled:`switch`,isAutomaticallyRecordingAudioVideoChatsEnabled:`automaticRecording`,recordingServerUrl:`recordingServer`,address:`network`,attempts:`attempts`,permissions:`permissions`,grants:`grants`,...k,...E,retentionDays:`retentionPeriod`},ce={true:`on`,false:`off`,"for ever":`unlimited`,...A,all:`allAgents`},N={recordingPlayed:`played`,recordingDownloaded:`downloaded`,recordingComposed:`composed`,recordingHeld:`held`,recordingReleased:`released`,recordingDeleted:`deleted`},P=[`audioAndVideoChatManagement`,`recordingPolicyManagement`],le=[[`groupSettings`,P],[`groupRecordings`,Object.keys(N)],[`groupSignIns`,[`signedIn`,`signInFailed`,`signedOut`,`signedOutEverywhere`,`sessionEnded`,`passwordChanged`,`passwordReset`]],[`groupAgents`,[`agentCreated`,`agentDisabled`,`agentEnabled`,`agentPermissionsChanged`,`roleCreated`,`rolePermissionsChanged`,`roleAssigned`,`roleUnassigned`,`siteCreated`,`siteDisabled`,`siteEnabled`]],[`groupPrograms`,[`apiKeyCreated`,`apiKeyRotated`,`apiKeyDeleted`,`uploadKeyCreated`,`uploadKeyRotated`,`uploadKeyDeleted`,`uploadKeyRefused`,`clientCreated`,`clientGrantsChanged`,`clientSecretRotated`,`clientDisabled`,`clientEnabled`,`clientRefused`,`tokenIssued`,`tokenRotated`,`tokenRevoked`,`tokenReused`,`tokenRefused`]],[`groupAuditLog`,[`auditLogExported`,`auditLogTrimmed`]]],F={"command line":`commandLine`,system:`bySystem`,anonymous:`byStranger`},I=class extends n{constructor(...e){super(...e),this.exportable=!1,this.linked=!1,this.index=1,this.hasOlder=!1,this.failure=``,this.filters=new URLSearchParams}static{this.styles=[r,d`
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
            ${le.map(([e,t])=>u`<option value=${t.join(`,`)}>${i(e)}</option>`)}
          </select>
        </label>
        <label class="field">${i(`object`)}<input name="object" maxlength="200" autocomplete="off" /></label>
        <label class="field">${i(`from`)}<input name="from" type="date" /></label>
        <label class="field">${i(`to`)}<input name="to" type="date" /></label>
      </form>
      ${this.failure?u`<p class="error" role="alert">${this.failure}</p>`:t}
      ${this.entries?.length?u`<ol>${this.entries.map(e=>R(e,this.linked))}</ol>`:t}
      ${this.entries?.length===0?u`<p class="quiet">${i(e?`nothingFound`:`noHistory`)}</p>`:t}
      <div class="bar">
        ${this.hasOlder?u`<button @click=${()=>this.read(this.index+1)}>${i(`older`)}</button>`:t}
        ${this.exportable?u`<a href="${M}:export?${this.filters.toString()}" download>${i(`exportLog`)}</a>`:t}
      </div>
    </section>`}filter(e){e.preventDefault();let t=e.currentTarget,n=[...new FormData(t).entries()].filter(([,e])=>e!==``);this.filters=new URLSearchParams(n.map(([e,t])=>[e,L(e,t)])),this.read(1)}async read(e){try{let t=await fetch(`${M}?${this.filters.toString()}&pageIndex=${e}&pageSize=${oe}`);if(!t.ok)throw Error(t.statusText);let n=await t.json();this.entries=e===1?n.auditLogs:[...this.entries??[],...n.auditLogs],this.index=e,this.hasOlder=n.nextPage!==``,this.failure=``}catch{this.failure=i(`loadFailed`)}}};l([c({type:Boolean})],I.prototype,`exportable`,void 0),l([c({type:Boolean})],I.prototype,`linked`,void 0),l([e()],I.prototype,`entries`,void 0),l([e()],I.prototype,`index`,void 0),l([e()],I.prototype,`hasOlder`,void 0),l([e()],I.prototype,`failure`,void 0),I=l([a(`visavis-audit-log`)],I);var L=(e,t)=>{if(e!==`from`&&e!==`to`)return t;let[n=0,r=1,i=1]=t.split(`-`).map(Number);return new Date(n,r-1,i+ +(e===`to`)).toISOString()},R=(e,t)=>u`<li>
  <span title=${e.createTime}>${p(e.createTime)}</span> · <span title=${e.agentEmail}>${z(e)}</span>
  ${B(e,t)}
</li>`,z=({agentName:e,agentEmail:t,author:n})=>{if(t)return e?`${e} (${t})`:t;let r=F[n];return r?i(r):n},B=(e,n)=>{let r=N[e.actionType];if(r)return u`<p class="quiet">${i(r)}: ${H(e,n)}</p>`;let a=P.includes(e.actionType);return u`
    ${a?t:u`<p>${e.actionSummary}</p>`}
    ${e.actionDetails.map(e=>u`<p class="quiet">${ue(e.fieldName)}: ${V(e)}</p>`)}
  `},V=({oldValue:e,newValue:t,fieldName:n})=>n===`address`||n===`attempts`?t:`${W(e)} → ${W(t)}`,H=({actionDetails:e,actionSummary:t},n)=>{let r=e.find(({fieldName:e})=>e===`recording`),i=r?.newValue??``,a=U(t)||i||(r?.oldValue??``);return i&&n?u`<a href="/library?recording=${encodeURIComponent(i)}">${a}</a>`:a},U=e=>{let[,t,n]=/the recording of (\S+) with (.+?)(: kept for \d+ days)?$/.exec(e)??[];return t&&n?`${n}, ${p(`${t}Z`)}`:``},ue=e=>{let t=se[e];return t?i(t):e},W=e=>{let t=ce[e];return t?i(t):e||i(`none`)},de=`/v4/livechat/recordings?state=undelivered&pageSize=5`,fe=5e3,pe=2e4,me={waiting:`recordingWaits`,muxing:`recordingIsMade`,delivering:`recordingIsSent`,failed:`recordingFailed`},G=class extends n{constructor(...e){super(...e),this.hasFailed=!1,this.timer=0}static{this.styles=[r,d`
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
        <dt>${i(`lastError`)}</dt><dd id="last-error" class=${d?`error`:``}>${d?`${he(f)}${d}`:i(`none`)}</dd>
      </dl>
      ${e.recordings.length?u`<ol aria-label=${i(`underWay`)}>${e.recordings.map(ge)}</ol>`:t}
    `}async follow(){document.hidden||await this.load(),this.isConnected&&(this.timer=window.setTimeout(()=>void this.follow(),this.backlog?.pending?fe:pe))}async load(){try{let e=await fetch(de,{headers:{"Visavis-Background":`1`}});this.hasFailed=!e.ok,e.ok&&(this.backlog=await e.json())}catch{this.hasFailed=!0}}};l([e()],G.prototype,`backlog`,void 0),l([e()],G.prototype,`hasFailed`,void 0),G=l([a(`visavis-delivery`)],G);var he=e=>e?`${p(e)}: `:``,ge=e=>{let n=e.size?` · ${m(e.uploaded)} ${i(`of`)} ${m(e.size)}`:``,r=e.nextTryAt?` · ${i(`nextTry`)} ${p(e.nextTryAt)}`:``;return u`<li>${p(e.startedAt)} · ${i(me[e.state]??`none`)}${n}${r}
    ${e.lastError?u`<p class="error small">${e.lastError}</p>`:t}</li>`},_e=`/v4/livechat/audioVideoChatConfig:testRecordingServer`,K=class extends n{constructor(...e){super(...e),this.url=``,this.isTrying=!1}static{this.styles=[r,d`
      :host { display: block; margin-top: 0.6rem; }
      button { white-space: normal; }
      p { margin: 0.4rem 0 0; overflow-wrap: anywhere; }
    `]}willUpdate(e){e.has(`url`)&&(this.verdict=void 0)}render(){return u`
      <button type="button" ?disabled=${this.isTrying||!this.url} @click=${this.tryOut}>${i(`testRecordingServer`)}</button>
      <div aria-live="polite">${this.outcome()}</div>
    `}outcome(){if(this.isTrying)return u`<p class="quiet">${i(`trying`)}</p>`;if(!this.verdict)return t;let{ok:e,message:n}=this.verdict;return u`<p class="line ${e?`good`:`error`}" id="verdict">${v(e?`good`:`warning`,18)} ${n}</p>`}async tryOut(){let{url:e}=this;this.isTrying=!0;let t=await ve(e);this.isTrying=!1,e===this.url&&(this.verdict=t)}};l([c()],K.prototype,`url`,void 0),l([e()],K.prototype,`verdict`,void 0),l([e()],K.prototype,`isTrying`,void 0),K=l([a(`visavis-server-test`)],K);var ve=async e=>{try{let t=await fetch(_e,{method:`POST`,headers:{"Content-Type":`application/json`},body:JSON.stringify({recordingServerUrl:e})});return t.ok?await t.json():{ok:!1,message:_(g,await t.json())}}catch{return{ok:!1,message:i(`loadFailed`)}}},q=`/v4/livechat/audioVideoChatConfig`,J=[`isEnabled`,`isAutomaticallyRecordingAudioVideoChatsEnabled`,`recordingServerUrl`],Y={isEnabled:`switch`,isAutomaticallyRecordingAudioVideoChatsEnabled:`automaticRecording`,recordingServerUrl:`recordingServer`},ye={true:`on`,false:`off`},X=(e,t)=>J.every(n=>e[n]===t[n]),Z=class extends n{constructor(...e){super(...e),this.conflicts=[],this.errors={},this.failure=``,this.status=``,this.isSaving=!1,this.isSecretNeeded=!1,this.secret=``}static{this.styles=[r,d`
      a { color: var(--accent); }
      main { max-width: var(--form-width); margin: 0 auto; padding: 1.5rem 1.25rem 4rem; display: grid; gap: 1.25rem; grid-template-columns: minmax(0, 1fr); }
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
    `]}async connectedCallback(){super.connectedCallback(),this.session=await f(),this.may(`Manage Settings`)&&(this.events=new EventSource(`${q}/events`),this.events.addEventListener(`config`,e=>this.hear(JSON.parse(e.data))))}disconnectedCallback(){super.disconnectedCallback(),this.events?.close()}render(){return this.session?u`
      <visavis-header current="settings" .session=${this.session}></visavis-header>
      <main>${this.may(`Manage Settings`)?this.content():u`<p class="card" role="alert">${i(`mayNotManage`)}</p>`}</main>
    `:t}content(){return u`
      ${this.failure?u`<p class="error" role="alert">${this.failure}</p>`:t}
      ${this.proxies()}
      ${this.theirs&&this.draft?this.conflict(this.theirs,this.draft):t}
      ${this.draft?this.form(this.draft):u`<p class="quiet">${i(`loading`)}</p>`}
      <visavis-delivery></visavis-delivery>
      <visavis-call-settings @saved=${()=>this.auditLog?.refresh()}></visavis-call-settings>
      <visavis-policy @saved=${()=>this.auditLog?.refresh()}></visavis-policy>
      ${this.may(`View Audit Log`)?u`<visavis-audit-log ?exportable=${this.session?.isAdministrator??!1} ?linked=${this.may(`View Recordings`)}></visavis-audit-log>`:t}
    `}proxies(){let e=this.session?.unlistedProxies??[];return e.length?u`<section class="card" aria-labelledby="unlisted-proxy">
      <h2 id="unlisted-proxy">${i(`unlistedProxy`)}</h2>
      <p class="quiet">${i(`unlistedProxyHelp`)}</p>
      <ul>${e.map(e=>u`<li><code>${e}</code></li>`)}</ul>
    </section>`:t}form(e){let n=(t,n)=>u`<div class="row">
      <div><label for=${t}>${i(Y[t])}</label><p class="quiet" id="${t}-help">${i(n)}</p></div>
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
    </div>`}conflict(e,t){let n=this.conflicts.map(n=>u`<tr><th scope="row">${i(Y[n])}</th><td data-whose=${i(`yours`)}>${$(t[n])}</td><td data-whose=${i(`theirs`)}>${$(e[n])}</td></tr>`);return u`<section class="card conflict" role="alert" aria-labelledby="conflict-title">
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
    </section>`}may(e){return this.session?.permissions.includes(e)??!1}get isEdited(){return!!this.saved&&!!this.draft&&!X(this.saved.config,this.draft)}edit(e,t){this.draft&&(this.draft={...this.draft,[e]:t},this.errors={},this.status=``)}discard(){this.saved&&this.accept(this.saved)}hear(e){if(e.etag===this.saved?.etag||this.isSaving)return;let t=!this.saved;this.mergeWith(e),t?this.status=``:this.auditLog?.refresh()}mergeWith(e){if(!this.saved||!this.draft)return this.accept(e);let{merged:t,conflicts:n}=y(this.saved.config,this.draft,e.config);this.accept(e),this.draft=t,this.conflicts=n,this.theirs=n.length?e.config:void 0,this.status=n.length?``:i(`changedElsewhere`)}accept(e){this.saved=e,this.draft={...e.config},this.theirs=void 0,this.conflicts=[],this.errors={},this.failure=``,this.isSecretNeeded=!1,this.secret=``}takeTheirs(){let{theirs:e,draft:t}=this;e&&t&&(this.draft={...t,...Object.fromEntries(this.conflicts.map(t=>[t,e[t]]))},this.theirs=void 0,this.conflicts=[],this.status=i(`tookTheirs`))}async keepMine(){this.theirs=void 0,this.conflicts=[],await this.save()}async submit(e){e.preventDefault(),this.isEdited&&!this.theirs&&await this.save()}async save(){if(this.saved&&this.draft){this.isSaving=!0,this.status=i(`saving`),this.failure=``;try{let e={"Content-Type":`application/json`,"If-Match":this.saved.etag};await this.saveAnswered(await fetch(q,{method:`PUT`,headers:e,body:JSON.stringify(this.body(this.draft))}))}catch{this.fail(i(`saveFailed`))}finally{this.isSaving=!1}}}body(e){return this.isSecretNeeded?{...e,recordingServerSecret:this.secret}:e}async saveAnswered(e){if(e.ok)return this.accept(await Q(e)),this.status=i(`saved`),this.auditLog?.refresh();if(e.status===412){this.mergeWith(await Q(await fetch(q))),this.theirs||await this.save();return}e.status===401&&await f();let t=await e.json();if(t.pointer===`/recordingServerSecret`&&t.error===`ParameterMissing`){this.isSecretNeeded=!0,this.status=i(`notSaved`);return}let n=J.find(e=>t.pointer===`/${e}`);if(!n)return this.fail(_(g,t));this.errors={[n]:be(t,this.draft?.recordingServerUrl??``)},this.status=i(`notSaved`),this.renderRoot.querySelector(`#${n}`)?.focus()}fail(e){this.failure=e,this.status=``}};l([e()],Z.prototype,`session`,void 0),l([e()],Z.prototype,`saved`,void 0),l([e()],Z.prototype,`draft`,void 0),l([e()],Z.prototype,`theirs`,void 0),l([e()],Z.prototype,`conflicts`,void 0),l([e()],Z.prototype,`errors`,void 0),l([e()],Z.prototype,`failure`,void 0),l([e()],Z.prototype,`status`,void 0),l([e()],Z.prototype,`isSaving`,void 0),l([e()],Z.prototype,`isSecretNeeded`,void 0),l([ee(`visavis-audit-log`)],Z.prototype,`auditLog`,void 0),Z=l([a(`visavis-admin`)],Z);var Q=async e=>({config:await e.json(),etag:e.headers.get(`ETag`)??``}),be=(e,t)=>t?e.error===`ParameterStringLengthExceed`?i(`urlTooLong`):e.error===`ParameterFormatIncorrect`?i(`urlWrong`):i(`urlWithPassword`):i(`urlNeeded`),$=e=>xe(String(e)),xe=e=>{let t=ye[e];return t?i(t):e||i(`none`)};