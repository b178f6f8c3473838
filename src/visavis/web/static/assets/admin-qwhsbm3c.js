/* empty css             */import{f as e,g as t,h as n,i as r,l as i,m as a,n as o,o as s,p as c,t as l,v as u,x as d}from"./decorate-t_bKOMS2.js";import"./page-header-Dn5XINpE.js";import{r as f,t as p}from"./session-CMND6Py3.js";import{n as m,r as h}from"./format-DdnngG-R.js";import{n as ee,t as g}from"./live-Bb6g1dGV.js";import{t as _}from"./en-errors-CP5f9I_7.js";import{t as v}from"./refusal-CBjRxXIj.js";import{t as te}from"./icons-DtcLa5Vy.js";var y=(e,t)=>e?u`<p class="error" role="alert">${i(`loadFailed`)}</p>
        <div><button type="button" @click=${t}>${i(`tryAgain`)}</button></div>`:u`<p class="quiet">${i(`loading`)}</p>`,b=(e,t,n)=>{let r=Object.keys(n),i=(t,n)=>t[n]!==e[n],a={...n};for(let e of r)i(t,e)&&(a[e]=t[e]);return{merged:a,conflicts:r.filter(e=>i(t,e)&&i(n,e)&&t[e]!==n[e])}},x=`/v4/livechat/recordingPolicy`,ne=5,S=async e=>({policy:await e.json(),etag:e.headers.get(`ETag`)??``}),C=async()=>{let e=await fetch(x);return e.ok?S(e):void 0},w=(e,t)=>t===`secret`?e.hasSecret:e[t],re=(e,t,n)=>Object.entries(e).filter(([e,r])=>{let i=w(n.policy,e);return i!==w(t.policy,e)&&i!==r}).map(([e])=>e),T=async(e,t)=>{let n=e;for(let r=0;r<ne;r++){let r={"Content-Type":`application/json`,"If-Match":n.etag},i=await fetch(x,{method:`PUT`,headers:r,body:JSON.stringify(t)});if(i.ok)return{saved:await S(i)};if(i.status!==412)return{problem:await i.json()};let a=await C();if(!a)break;let o=re(t,e,a);if(o.length)return{saved:a,conflicts:o};n=a}throw Error(`the policy could not be saved`)},E=[`ringSeconds`,`queueSeconds`,`connectSeconds`,`resumeSeconds`,`ringLimit`],D={ringSeconds:`ringSeconds`,queueSeconds:`queueSeconds`,connectSeconds:`connectSeconds`,resumeSeconds:`resumeSeconds`,ringLimit:`ringLimit`},ie={ringSeconds:`ringSecondsHelp`,queueSeconds:`queueSecondsHelp`,connectSeconds:`connectSecondsHelp`,resumeSeconds:`resumeSecondsHelp`,ringLimit:`ringLimitHelp`},O=e=>Object.fromEntries(E.map(t=>[t,String(e[t]??``)])),k=(e,t)=>e===`ringLimit`&&t===``?null:/^\d+$/.test(t)?Number(t):t,A=class extends n{constructor(...e){super(...e),this.status=``,this.isFailure=!1,this.isSaving=!1,this.hasFailed=!1,this.read=async()=>{this.hasFailed=!1;let e=await C().catch(()=>void 0);e?this.accept(e):this.hasFailed=!0}}static{this.styles=[r,d`
      :host { display: block; }
      form { display: grid; gap: 1rem; }
      .field p { margin: 0; font-weight: 400; }
      .bar { display: flex; flex-wrap: wrap; gap: 0.75rem; align-items: center; }
      .bar p { margin: 0; }
    `]}connectedCallback(){super.connectedCallback(),this.read()}render(){return u`<form class="card" novalidate aria-labelledby="calls-title" @submit=${this.submit}>
      <h2 id="calls-title">${i(`callSettings`)}</h2>
      ${this.draft?this.fields(this.draft):y(this.hasFailed,this.read)}
    </form>`}fields(e){return u`
      ${E.map(t=>this.field(t,e))}
      <div class="bar">
        <button class="primary" ?disabled=${this.isSaving}>${i(`apply`)}</button>
        <p aria-live="polite" class=${this.isFailure?`error`:`quiet`}>${this.status}</p>
      </div>
    `}field(e,n){let r=this.wrong?.field===e?this.wrong.message:void 0;return u`<div class="field">
      <label for=${e}>${i(D[e])}</label>
      <p class="quiet" id="${e}-help">${i(ie[e])}</p>
      <input id=${e} inputmode="numeric" autocomplete="off" .value=${g(n[e])}
        aria-invalid=${r?`true`:`false`} aria-describedby="${e}-help ${e}-error"
        @input=${t=>this.edit(e,t.target.value)} />
      <p class="error" id="${e}-error">${r??t}</p>
    </div>`}edit(e,t){this.draft&&={...this.draft,[e]:t},this.wrong=void 0,this.status=``}async submit(e){e.preventDefault();let{saved:t,draft:n}=this;if(!t||!n||this.isSaving)return;let r=O(t.policy),a=Object.fromEntries(E.filter(e=>n[e].trim()!==r[e]).map(e=>[e,k(e,n[e].trim())]));this.isSaving=!0,this.wrong=void 0;try{this.answered(await T(t,a))}catch{this.tell(i(`saveFailed`),!0)}finally{this.isSaving=!1}}answered({saved:e,problem:t,conflicts:n}){if(t)return this.refused(v(_,t),t.pointer??``);if(e){if(n&&this.saved&&this.draft){this.draft=b(O(this.saved.policy),this.draft,O(e.policy)).merged,this.saved=e;let t=n.map(e=>i(D[e])).join(`, `);return this.tell(i(`settingsConflict`).replace(`%`,t),!0)}this.accept(e),this.tell(i(`callsSaved`),!1),this.dispatchEvent(new Event(`saved`))}}refused(e,t){let n=E.find(e=>t===`/${e}`);if(!n)return this.tell(e,!0);this.wrong={field:n,message:e},this.tell(i(`notSaved`),!0),this.renderRoot.querySelector(`#${n}`)?.focus()}tell(e,t){Object.assign(this,{status:e,isFailure:t})}accept(e){this.saved=e,this.draft=O(e.policy)}};l([e()],A.prototype,`saved`,void 0),l([e()],A.prototype,`draft`,void 0),l([e()],A.prototype,`wrong`,void 0),l([e()],A.prototype,`status`,void 0),l([e()],A.prototype,`isFailure`,void 0),l([e()],A.prototype,`isSaving`,void 0),l([e()],A.prototype,`hasFailed`,void 0),A=l([a(`visavis-call-settings`)],A);var j={consent:`consent`,unrecordable:`unrecordable`,retentionDays:`retention`,secret:`secret`},M={notice:`consentNotice`,agreement:`consentAgreement`,refuse:`unrecordableRefuse`,continue:`unrecordableContinue`},ae={consent:[`notice`,`agreement`],unrecordable:[`refuse`,`continue`]},N=({retentionDays:e})=>String(e??``),P=(e,t=N(e))=>({consent:e.consent,unrecordable:e.unrecordable,days:t}),F=class extends n{constructor(...e){super(...e),this.days=``,this.secret=``,this.status=``,this.isSaving=!1,this.hasFailed=!1,this.read=async()=>{this.hasFailed=!1;let e=await C().catch(()=>void 0);e?this.accept(e):this.hasFailed=!0}}static{this.styles=[r,d`
      :host { display: block; }
      form { display: grid; gap: 1rem; }
      .field p { margin: 0; font-weight: 400; }
      .bar { display: flex; flex-wrap: wrap; gap: 0.75rem; align-items: center; }
      .bar p { margin: 0; }
    `]}connectedCallback(){super.connectedCallback(),this.read()}render(){return u`<form class="card" novalidate aria-labelledby="policy-title" @submit=${this.submit}>
      <h2 id="policy-title">${i(`recordingPolicy`)}</h2>
      ${this.policy?this.fields(this.policy):y(this.hasFailed,this.read)}
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
      <label for=${e}>${i(j[e])}</label>
      <p class="quiet" id="${e}-help">${i(n)}</p>
      <select id=${e} aria-describedby="${e}-help" @change=${n=>this.policy={...t,[e]:this.typed(n)}}>
        ${ae[e].map(n=>u`<option value=${n} .selected=${t[e]===n}>${i(M[n])}</option>`)}
      </select>
    </div>`}text(e,n,r,a){return u`<div class="field">
      <label for=${e}>${i(n)}</label>
      <p class="quiet" id="${e}-help">${i(r)}</p>
      ${a}
      <p class="error" id="${e}-error">${this.isWrong(e)===`true`?this.problem?.message:t}</p>
    </div>`}isWrong(e){return this.problem?.pointer===`/${e}`?`true`:`false`}typed(e){return this.status=``,this.problem=void 0,e.target.value}async submit(e){if(e.preventDefault(),!this.policy||!this.saved)return;let{consent:t,unrecordable:n}=this.policy,r=this.days.trim(),i=r===``?null:/^\d+$/.test(r)?Number(r):r,a=this.saved.policy,o=Object.entries({consent:t,unrecordable:n,retentionDays:i}).filter(([e,t])=>t!==a[e]);await this.put({...Object.fromEntries(o),...this.secret?{secret:this.secret}:{}})}async put(e){if(this.saved){this.isSaving=!0,this.problem=void 0;try{this.answered(await T(this.saved,e))}catch{this.fail({message:i(`saveFailed`)})}finally{this.isSaving=!1}}}answered({saved:e,problem:t,conflicts:n}){if(t)return this.fail({pointer:t.pointer,message:v(_,t)});if(e){if(n)return this.conflict(e,n);this.accept(e),this.status=i(`policySaved`),this.dispatchEvent(new Event(`saved`))}}conflict(e,t){let{saved:n,policy:r,days:a,secret:o}=this;if(!n||!r)return;let s=P(r,a),{merged:c}=b(P(n.policy),s,P(e.policy));this.accept(e);let{consent:l,unrecordable:u}=c;this.policy={...e.policy,consent:l,unrecordable:u},this.days=c.days,this.secret=o;let d=t.map(e=>i(j[e])).join(`, `);this.fail({message:i(`settingsConflict`).replace(`%`,d)})}fail(e){this.problem=e,this.status=e.pointer?i(`notSaved`):e.message,e.pointer&&this.renderRoot.querySelector(`#${e.pointer.slice(1)}`)?.focus()}accept(e){this.saved=e,this.policy=e.policy,this.days=N(this.policy),this.secret=``}};l([e()],F.prototype,`policy`,void 0),l([e()],F.prototype,`days`,void 0),l([e()],F.prototype,`secret`,void 0),l([e()],F.prototype,`status`,void 0),l([e()],F.prototype,`problem`,void 0),l([e()],F.prototype,`isSaving`,void 0),l([e()],F.prototype,`hasFailed`,void 0),F=l([a(`visavis-policy`)],F);var I=`/v4/global/auditLogs`,oe=10,se={isEnabled:`switch`,isAutomaticallyRecordingAudioVideoChatsEnabled:`automaticRecording`,recordingServerUrl:`recordingServer`,address:`network`,attempts:`attempts`,permissions:`permissions`,grants:`grants`,...j,...D,retentionDays:`retentionPeriod`},ce={true:`on`,false:`off`,"for ever":`unlimited`,...M,all:`allAgents`},L={recordingPlayed:`played`,recordingDownloaded:`downloaded`,recordingComposed:`composed`,recordingHeld:`held`,recordingReleased:`released`,recordingDeleted:`deleted`},R=[`audioAndVideoChatManagement`,`recordingPolicyManagement`],le=[[`groupSettings`,R],[`groupRecordings`,Object.keys(L)],[`groupSignIns`,[`signedIn`,`signInFailed`,`signedOut`,`signedOutEverywhere`,`sessionEnded`,`passwordChanged`,`passwordReset`]],[`groupAgents`,[`agentCreated`,`agentDisabled`,`agentEnabled`,`agentPermissionsChanged`,`roleCreated`,`rolePermissionsChanged`,`roleAssigned`,`roleUnassigned`,`siteCreated`,`siteDisabled`,`siteEnabled`]],[`groupPrograms`,[`apiKeyCreated`,`apiKeyRotated`,`apiKeyDeleted`,`uploadKeyCreated`,`uploadKeyRotated`,`uploadKeyDeleted`,`uploadKeyRefused`,`clientCreated`,`clientGrantsChanged`,`clientSecretRotated`,`clientDisabled`,`clientEnabled`,`clientRefused`,`tokenIssued`,`tokenRotated`,`tokenRevoked`,`tokenReused`,`tokenRefused`]],[`groupAuditLog`,[`auditLogExported`,`auditLogTrimmed`]],[`groupServers`,[`nodeDrained`,`nodeUndrained`]]],ue={"command line":`commandLine`,system:`bySystem`,anonymous:`byStranger`},z=class extends n{constructor(...e){super(...e),this.exportable=!1,this.linked=!1,this.index=1,this.hasOlder=!1,this.failure=``,this.filters=new URLSearchParams,this.requests=0}static{this.styles=[r,d`
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
      ${this.entries?.length?u`<ol>${this.entries.map(e=>H(e,this.linked))}</ol>`:t}
      ${this.entries?.length===0?u`<p class="quiet">${i(e?`nothingFound`:`noHistory`)}</p>`:t}
      <div class="bar">
        ${this.hasOlder?u`<button @click=${()=>this.read(this.index+1)}>${i(`older`)}</button>`:t}
        ${this.exportable?u`<a href="${I}:export?${this.filters.toString()}" download>${i(`exportLog`)}</a>`:t}
      </div>
    </section>`}filter(e){e.preventDefault();let t=e.currentTarget,n=[...new FormData(t).entries()].filter(([,e])=>e!==``);this.filters=new URLSearchParams(n.map(([e,t])=>[e,V(e,t)])),this.read(1)}async read(e){let t=this.requests+=1;try{let n=await fetch(`${I}?${this.filters.toString()}&pageIndex=${e}&pageSize=${oe}`);if(!n.ok)throw Error(n.statusText);let r=await n.json();if(t!==this.requests)return;this.entries=e===1?r.auditLogs:B(this.entries??[],r.auditLogs),this.index=e,this.hasOlder=r.nextPage!==``,this.failure=``}catch{t===this.requests&&(this.failure=i(`loadFailed`))}}};l([c({type:Boolean})],z.prototype,`exportable`,void 0),l([c({type:Boolean})],z.prototype,`linked`,void 0),l([e()],z.prototype,`entries`,void 0),l([e()],z.prototype,`index`,void 0),l([e()],z.prototype,`hasOlder`,void 0),l([e()],z.prototype,`failure`,void 0),z=l([a(`visavis-audit-log`)],z);var B=(e,t)=>{let n=new Set(e.map(({id:e})=>e));return[...e,...t.filter(({id:e})=>!n.has(e))]},V=(e,t)=>{if(e!==`from`&&e!==`to`)return t;let[n=0,r=1,i=1]=t.split(`-`).map(Number);return new Date(n,r-1,i+ +(e===`to`)).toISOString()},H=(e,t)=>u`<li>
  <span title=${e.createTime}>${m(e.createTime)}</span> · <span title=${e.agentEmail}>${U(e)}</span>
  ${de(e,t)}
</li>`,U=({agentName:e,agentEmail:t,author:n})=>{if(t)return e?`${e} (${t})`:t;let r=ue[n];return r?i(r):n},de=(e,n)=>{let r=L[e.actionType];if(r)return u`<p class="quiet">${i(r)}: ${fe(e,n)}</p>`;let a=R.includes(e.actionType);return u`
    ${a?t:u`<p>${e.actionSummary}</p>`}
    ${e.actionDetails.map(e=>u`<p class="quiet">${me(e.fieldName)}: ${W(e)}</p>`)}
  `},W=({oldValue:e,newValue:t,fieldName:n})=>n===`address`||n===`attempts`?t:`${G(e)} → ${G(t)}`,fe=({actionDetails:e,actionSummary:t},n)=>{let r=e.find(({fieldName:e})=>e===`recording`),i=r?.newValue??``,a=pe(t)||i||(r?.oldValue??``);return i&&n?u`<a href="/library?recording=${encodeURIComponent(i)}">${a}</a>`:a},pe=e=>{let[,t,n]=/the recording of (\S+) with (.+?)(: kept for \d+ days)?$/.exec(e)??[];return t&&n?`${n}, ${m(`${t}Z`)}`:``},me=e=>{let t=se[e];return t?i(t):e},G=e=>{let t=ce[e];return t?i(t):e||i(`none`)},he=`/v4/livechat/recordings?state=undelivered&pageSize=5`,ge=5e3,_e=2e4,ve={waiting:`recordingWaits`,muxing:`recordingIsMade`,delivering:`recordingIsSent`,failed:`recordingFailed`},K=class extends n{constructor(...e){super(...e),this.hasFailed=!1,this.timer=0,this.onVisibility=()=>void this.follow()}static{this.styles=[r,d`
      :host { display: block; }
      dl { display: grid; grid-template-columns: minmax(8rem, max-content) 1fr; gap: 0.4rem 1rem; margin: 0; }
      dt { font-weight: 600; }
      dd { margin: 0; overflow-wrap: anywhere; }
      ol { list-style: none; margin: 1rem 0 0; padding: 0; }
      li { padding: 0.6rem 0; border-top: 1px solid var(--line); overflow-wrap: anywhere; }
      li p { margin: 0.15rem 0 0; }
      @media (max-width: 30rem) { dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: 0.6rem; } }
    `]}connectedCallback(){super.connectedCallback(),document.addEventListener(`visibilitychange`,this.onVisibility),this.follow()}disconnectedCallback(){super.disconnectedCallback(),document.removeEventListener(`visibilitychange`,this.onVisibility),clearTimeout(this.timer)}render(){return u`<section class="card" aria-labelledby="delivery-title">
      <h2 id="delivery-title">${i(`delivery`)}</h2>
      ${this.hasFailed?u`<p class="error">${i(`loadFailed`)}</p>`:t}
      ${this.backlog?this.facts(this.backlog):u`<p class="quiet">${i(`loading`)}</p>`}
    </section>`}facts(e){let{pending:n,failed:r,incomplete:a,missing:o,oldestPending:c,lastSuccess:l,lastError:d,lastErrorTime:f}=e,p=c?` (${i(`oldestSince`)} ${m(c)})`:``;return u`
      <dl>
        <dt>${i(`backlog`)}</dt><dd id="backlog">${n?`${s(n,`oneRecording`,`manyRecordings`)}${p}`:i(`nothingWaits`)}</dd>
        ${r?u`<dt>${i(`failedRecordings`)}</dt><dd class="error">${s(r,`failedOne`,`failedMany`)}</dd>`:t}
        ${a?u`<dt>${i(`incompleteRecordings`)}</dt><dd class="warn">${s(a,`incompleteOne`,`incompleteMany`)}</dd>`:t}
        ${o?u`<dt>${i(`missingRecordings`)}</dt><dd class="warn">${s(o,`missingOne`,`missingMany`)}</dd>`:t}
        <dt>${i(`lastSuccess`)}</dt><dd id="last-success">${l?m(l):i(`neverYet`)}</dd>
        <dt>${i(`lastError`)}</dt><dd id="last-error" class=${d?`error`:``}>${d?`${ye(f)}${d}`:i(`none`)}</dd>
      </dl>
      ${e.recordings.length?u`<ol aria-label=${i(`underWay`)}>${e.recordings.map(be)}</ol>`:t}
    `}async follow(){clearTimeout(this.timer),document.hidden||(await this.load(),clearTimeout(this.timer),this.isConnected&&(this.timer=window.setTimeout(()=>void this.follow(),this.backlog?.pending?ge:_e)))}async load(){try{let e=await fetch(he,{headers:{"Visavis-Background":`1`}});this.hasFailed=!e.ok,e.ok&&(this.backlog=await e.json())}catch{this.hasFailed=!0}}};l([e()],K.prototype,`backlog`,void 0),l([e()],K.prototype,`hasFailed`,void 0),K=l([a(`visavis-delivery`)],K);var ye=e=>e?`${m(e)}: `:``,be=e=>{let n=e.size?` · ${h(e.uploaded)} ${i(`of`)} ${h(e.size)}`:``,r=e.nextTryAt?` · ${i(`nextTry`)} ${m(e.nextTryAt)}`:``,a=e.nodes.filter(e=>e.isSilent),o=a.map(e=>e.machine),s=a.every(e=>e.isStopped)?`waitingForStoppedNode`:`waitingForNodeHelp`,c=o.length?`${i(`waitingForNode`)} ${o.join(`, `)}`:i(ve[e.state]??`none`);return u`<li>${m(e.startedAt)} · ${c}${n}${r}
    ${o.length?u`<p class="warn small">${i(s)}</p>`:t}
    ${e.lastError?u`<p class="error small">${e.lastError}</p>`:t}</li>`},xe=`/v4/livechat/audioVideoChatConfig:testRecordingServer`,q=class extends n{constructor(...e){super(...e),this.url=``,this.isTrying=!1}static{this.styles=[r,d`
      :host { display: block; margin-top: 0.6rem; }
      button { white-space: normal; }
      p { margin: 0.4rem 0 0; overflow-wrap: anywhere; }
    `]}willUpdate(e){e.has(`url`)&&(this.verdict=void 0)}render(){return u`
      <button type="button" ?disabled=${this.isTrying||!this.url} @click=${this.tryOut}>${i(`testRecordingServer`)}</button>
      <div aria-live="polite">${this.outcome()}</div>
    `}outcome(){if(this.isTrying)return u`<p class="quiet">${i(`trying`)}</p>`;if(!this.verdict)return t;let{ok:e,message:n}=this.verdict;return u`<p class="line ${e?`good`:`error`}" id="verdict">${te(e?`good`:`warning`,18)} ${n}</p>`}async tryOut(){let{url:e}=this;this.isTrying=!0;let t=await Se(e);this.isTrying=!1,e===this.url&&(this.verdict=t)}};l([c()],q.prototype,`url`,void 0),l([e()],q.prototype,`verdict`,void 0),l([e()],q.prototype,`isTrying`,void 0),q=l([a(`visavis-server-test`)],q);var Se=async e=>{try{let t=await fetch(xe,{method:`POST`,headers:{"Content-Type":`application/json`},body:JSON.stringify({recordingServerUrl:e})});return t.ok?await t.json():{ok:!1,message:v(_,await t.json())}}catch{return{ok:!1,message:i(`loadFailed`)}}},J=`/v4/livechat/audioVideoChatConfig`,Ce=5e3,Y=[`isEnabled`,`isAutomaticallyRecordingAudioVideoChatsEnabled`,`recordingServerUrl`],X={isEnabled:`switch`,isAutomaticallyRecordingAudioVideoChatsEnabled:`automaticRecording`,recordingServerUrl:`recordingServer`},we={true:`on`,false:`off`},Te=(e,t)=>Y.every(n=>e[n]===t[n]),Z=class extends n{constructor(...e){super(...e),this.conflicts=[],this.errors={},this.failure=``,this.status=``,this.isSaving=!1,this.isSecretNeeded=!1,this.secret=``,this.listenTimer=0,this.isServerAway=!1}static{this.styles=[r,d`
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
    `]}async connectedCallback(){super.connectedCallback(),this.session=await f(()=>this.isServerAway=!0),this.isServerAway=!1,this.may(`Manage Settings`)&&this.listen()}disconnectedCallback(){super.disconnectedCallback(),clearTimeout(this.listenTimer),this.events?.close()}render(){return this.session?u`
      <visavis-header current="settings" .session=${this.session}></visavis-header>
      <main>${this.may(`Manage Settings`)?this.content():u`<p class="card" role="alert">${i(`mayNotManage`)}</p>`}</main>
    `:this.away()}away(){return this.isServerAway?u`<p class="error" id="away" role="alert">${i(`serverAway`)}</p>`:t}content(){return u`
      ${this.away()}
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
    </section>`}may(e){return this.session?.permissions.includes(e)??!1}get isEdited(){return!!this.saved&&!!this.draft&&!Te(this.saved.config,this.draft)}edit(e,t){this.draft&&(this.draft={...this.draft,[e]:t},this.errors={},this.status=``)}discard(){this.saved&&this.accept(this.saved)}listen(){if(!this.isConnected)return;let e=this.events=new EventSource(`${J}/events`);e.addEventListener(`config`,e=>this.hear(JSON.parse(e.data))),e.addEventListener(`error`,()=>{this.isServerAway=!0,e.readyState===EventSource.CLOSED&&(p().catch(()=>void 0),this.listenTimer=window.setTimeout(()=>this.listen(),Ce))})}hear(e){if(this.isServerAway=!1,e.etag===this.saved?.etag||this.isSaving)return;let t=!this.saved;this.mergeWith(e),t?this.status=``:this.auditLog?.refresh()}mergeWith(e){if(!this.saved||!this.draft)return this.accept(e);let{merged:t,conflicts:n}=b(this.saved.config,this.draft,e.config);this.accept(e),this.draft=t,this.conflicts=n,this.theirs=n.length?e.config:void 0,this.status=n.length?``:i(`changedElsewhere`)}accept(e){this.saved=e,this.draft={...e.config},this.theirs=void 0,this.conflicts=[],this.errors={},this.failure=``,this.isSecretNeeded=!1,this.secret=``}takeTheirs(){let{theirs:e,draft:t}=this;e&&t&&(this.draft={...t,...Object.fromEntries(this.conflicts.map(t=>[t,e[t]]))},this.theirs=void 0,this.conflicts=[],this.status=i(`tookTheirs`))}async keepMine(){this.theirs=void 0,this.conflicts=[],await this.save()}async submit(e){e.preventDefault(),this.isEdited&&!this.theirs&&await this.save()}async save(){if(this.saved&&this.draft){this.isSaving=!0,this.status=i(`saving`),this.failure=``;try{let e={"Content-Type":`application/json`,"If-Match":this.saved.etag};await this.saveAnswered(await fetch(J,{method:`PUT`,headers:e,body:JSON.stringify(this.body(this.draft))}))}catch{this.fail(i(`saveFailed`))}finally{this.isSaving=!1}}}body(e){return this.isSecretNeeded?{...e,recordingServerSecret:this.secret}:e}async saveAnswered(e){if(e.ok)return this.accept(await Q(e)),this.status=i(`saved`),this.auditLog?.refresh();if(e.status===412){this.mergeWith(await Q(await fetch(J))),this.theirs||await this.save();return}e.status===401&&await p();let t=await e.json();if(t.pointer===`/recordingServerSecret`&&t.error===`ParameterMissing`){this.isSecretNeeded=!0,this.status=i(`notSaved`);return}let n=Y.find(e=>t.pointer===`/${e}`);if(!n)return this.fail(v(_,t));this.errors={[n]:Ee(t,this.draft?.recordingServerUrl??``)},this.status=i(`notSaved`),this.renderRoot.querySelector(`#${n}`)?.focus()}fail(e){this.failure=e,this.status=``}};l([e()],Z.prototype,`session`,void 0),l([e()],Z.prototype,`saved`,void 0),l([e()],Z.prototype,`draft`,void 0),l([e()],Z.prototype,`theirs`,void 0),l([e()],Z.prototype,`conflicts`,void 0),l([e()],Z.prototype,`errors`,void 0),l([e()],Z.prototype,`failure`,void 0),l([e()],Z.prototype,`status`,void 0),l([e()],Z.prototype,`isSaving`,void 0),l([e()],Z.prototype,`isSecretNeeded`,void 0),l([ee(`visavis-audit-log`)],Z.prototype,`auditLog`,void 0),l([e()],Z.prototype,`isServerAway`,void 0),Z=l([a(`visavis-admin`)],Z);var Q=async e=>({config:await e.json(),etag:e.headers.get(`ETag`)??``}),Ee=(e,t)=>t?e.error===`ParameterStringLengthExceed`?i(`urlTooLong`):e.error===`ParameterFormatIncorrect`?i(`urlWrong`):i(`urlWithPassword`):i(`urlNeeded`),$=e=>De(String(e)),De=e=>{let t=we[e];return t?i(t):e||i(`none`)};