/* empty css             */import{f as e,g as t,h as n,i as r,l as i,m as a,t as o,v as s,x as c}from"./decorate-t_bKOMS2.js";import{n as l}from"./format-DdnngG-R.js";import"./page-header-Dn5XINpE.js";import{r as u}from"./session-CMND6Py3.js";import{t as d}from"./en-errors-CP5f9I_7.js";import{t as f}from"./refusal-CBjRxXIj.js";var p=class extends n{constructor(...e){super(...e),this.isServerAway=!1,this.signIns=[],this.error=``,this.status=``,this.failure=``,this.isBusy=!1}static{this.styles=[r,c`
      main { max-width: var(--form-width); margin: 0 auto; padding: 1.5rem 1.25rem 4rem; display: grid; gap: 1.25rem; grid-template-columns: minmax(0, 1fr); }
      form { display: grid; gap: 1rem; justify-items: start; }
      form .field { width: min(100%, 24rem); }
      form p { margin: 0; }
      ul { list-style: none; margin: 0 0 1rem; padding: 0; }
      li { display: flex; flex-wrap: wrap; gap: 0.5rem 1rem; align-items: center; justify-content: space-between; padding: 0.75rem 0; border-top: 1px solid var(--line); overflow-wrap: anywhere; }
      li p { margin: 0.15rem 0 0; }
      .here { border-color: var(--accent); color: var(--accent); }
    `]}async connectedCallback(){super.connectedCallback(),this.session=await u(()=>this.isServerAway=!0),await this.load()}render(){return this.session?s`
      <visavis-header .session=${this.session}></visavis-header>
      <main>
        <h1>${i(`yourAccount`)}</h1>
        <p class="quiet">${this.session.agentName} · ${this.session.email}</p>
        ${this.passwordForm(this.session)} ${this.list()}
      </main>
    `:this.isServerAway?s`<p class="error" role="alert">${i(`serverAway`)}</p>`:t}passwordForm({email:e}){return s`<section class="card" aria-labelledby="password-title">
      <h2 id="password-title">${i(`changePassword`)}</h2>
      <form @submit=${this.changePassword}>
        <input class="unseen" type="text" name="username" autocomplete="username" .value=${e} tabindex="-1" aria-hidden="true" readonly />
        <label class="field">${i(`currentPassword`)}<input name="currentPassword" type="password" autocomplete="current-password" required /></label>
        <label class="field">${i(`newPassword`)}<input name="newPassword" type="password" autocomplete="new-password" minlength="10" maxlength="1024" required aria-describedby="password-help" /></label>
        <p class="quiet" id="password-help">${i(`newPasswordHelp`)}</p>
        <p class="error" role="alert">${this.error||t}</p>
        <button class="primary" ?disabled=${this.isBusy}>${i(`changePassword`)}</button>
        <p class="quiet" role="status">${this.status}</p>
      </form>
    </section>`}list(){return s`<section class="card" aria-labelledby="sessions-title">
      <h2 id="sessions-title">${i(`sessions`)}</h2>
      ${this.failure?s`<p class="error" role="alert">${this.failure}</p>`:t}
      <ul>${this.signIns.map(e=>this.item(e))}</ul>
      <button @click=${()=>this.endAll()}>${i(`signOutEverywhere`)}</button>
    </section>`}item(e){let n=g(e.device);return s`<li>
      <div>
        <span title=${e.device}>${n}</span>
        ${e.isCurrent?s`<span class="badge here">${i(`thisBrowser`)}</span>`:t}
        <p class="quiet">${e.address||i(`thisMachine`)} · ${i(`lastUse`)} ${l(e.lastUseTime)} · ${i(`signedInOn`)} ${l(e.createTime)}</p>
      </div>
      ${e.isCurrent?t:s`<button aria-label="${i(`signOut`)}: ${n}" @click=${()=>this.end(e)}>${i(`signOut`)}</button>`}
    </li>`}async load(){let e=await fetch(`/session/all`).catch(()=>void 0);this.failure=e?.ok?``:i(`loadFailed`),e?.ok&&(this.signIns=(await e.json()).sessions)}async end(e){let t=await fetch(`/session/${e.id}`,{method:`DELETE`}).catch(()=>void 0);await this.load(),!t?.ok&&t?.status!==404&&(this.failure=i(`signOutFailed`))}async endAll(){(await fetch(`/session/all`,{method:`DELETE`}).catch(()=>void 0))?.ok?location.assign(`/signin`):this.failure=i(`signOutFailed`)}async changePassword(e){e.preventDefault();let t=e.target,n=new FormData(t),r={currentPassword:n.get(`currentPassword`),newPassword:n.get(`newPassword`)};this.isBusy=!0,this.error=this.status=``;try{let e=await fetch(`/session/password`,{method:`POST`,headers:{"Content-Type":`application/json`},body:JSON.stringify(r)});if(!e.ok){this.error=f(d,await e.json());return}t.reset(),this.status=i(`passwordChanged`),await this.load()}catch{this.error=i(`saveFailed`)}finally{this.isBusy=!1}}};o([e()],p.prototype,`session`,void 0),o([e()],p.prototype,`isServerAway`,void 0),o([e()],p.prototype,`signIns`,void 0),o([e()],p.prototype,`error`,void 0),o([e()],p.prototype,`status`,void 0),o([e()],p.prototype,`failure`,void 0),o([e()],p.prototype,`isBusy`,void 0),p=o([a(`visavis-profile`)],p);var m=[[/Edg\//,`Edge`],[/OPR\//,`Opera`],[/Firefox\//,`Firefox`],[/Chrom(e|ium)\//,`Chrome`],[/Safari\//,`Safari`]],h=[[/Android/,`Android`],[/iPhone|iPad/,`iOS`],[/Windows/,`Windows`],[/Mac OS X/,`macOS`],[/CrOS/,`ChromeOS`],[/Linux/,`Linux`]],g=e=>[m,h].map(t=>t.find(([t])=>t.test(e))?.[1]).filter(Boolean).join(` · `)||e||i(`unknownDevice`);