import{f as e,g as t,m as n,p as r,r as i,s as a,t as o,u as s,y as c}from"./decorate-Bp4JMDkJ.js";import{n as l}from"./format-DdnngG-R.js";import{n as u}from"./page-header-C90Alb0s.js";var d=class extends r{constructor(...e){super(...e),this.signIns=[],this.error=``,this.status=``,this.failure=``,this.isBusy=!1}static{this.styles=[i,c`
      main { max-width: 46rem; margin: 0 auto; padding: 1.5rem 1.25rem 4rem; display: grid; gap: 1.25rem; grid-template-columns: minmax(0, 1fr); }
      form { display: grid; gap: 1rem; justify-items: start; }
      form .field { width: min(100%, 24rem); }
      form p { margin: 0; }
      ul { list-style: none; margin: 0 0 1rem; padding: 0; }
      li { display: flex; flex-wrap: wrap; gap: 0.5rem 1rem; align-items: center; justify-content: space-between; padding: 0.75rem 0; border-top: 1px solid var(--line); overflow-wrap: anywhere; }
      li p { margin: 0.15rem 0 0; }
      .here { border-color: var(--accent); color: var(--accent); }
    `]}async connectedCallback(){super.connectedCallback(),this.session=await u(),await this.load()}render(){return this.session?t`
      <visavis-header .session=${this.session}></visavis-header>
      <main>
        <h1>${a(`yourAccount`)}</h1>
        <p class="quiet">${this.session.agentName} · ${this.session.email}</p>
        ${this.passwordForm(this.session)} ${this.list()}
      </main>
    `:n}passwordForm({email:e}){return t`<section class="card" aria-labelledby="password-title">
      <h2 id="password-title">${a(`changePassword`)}</h2>
      <form @submit=${this.changePassword}>
        <input class="unseen" type="text" name="username" autocomplete="username" .value=${e} tabindex="-1" aria-hidden="true" readonly />
        <label class="field">${a(`currentPassword`)}<input name="currentPassword" type="password" autocomplete="current-password" required /></label>
        <label class="field">${a(`newPassword`)}<input name="newPassword" type="password" autocomplete="new-password" minlength="10" maxlength="1024" required aria-describedby="password-help" /></label>
        <p class="quiet" id="password-help">${a(`newPasswordHelp`)}</p>
        <p class="error" role="alert">${this.error||n}</p>
        <button class="primary" ?disabled=${this.isBusy}>${a(`changePassword`)}</button>
        <p class="quiet" role="status">${this.status}</p>
      </form>
    </section>`}list(){return t`<section class="card" aria-labelledby="sessions-title">
      <h2 id="sessions-title">${a(`sessions`)}</h2>
      ${this.failure?t`<p class="error" role="alert">${this.failure}</p>`:n}
      <ul>${this.signIns.map(e=>this.item(e))}</ul>
      <button @click=${()=>this.endAll()}>${a(`signOutEverywhere`)}</button>
    </section>`}item(e){let r=m(e.device);return t`<li>
      <div>
        <span title=${e.device}>${r}</span>
        ${e.isCurrent?t`<span class="badge here">${a(`thisBrowser`)}</span>`:n}
        <p class="quiet">${e.address||a(`thisMachine`)} · ${a(`lastUse`)} ${l(e.lastUseTime)} · ${a(`signedInOn`)} ${l(e.createTime)}</p>
      </div>
      ${e.isCurrent?n:t`<button aria-label="${a(`signOut`)}: ${r}" @click=${()=>this.end(e)}>${a(`signOut`)}</button>`}
    </li>`}async load(){let e=await fetch(`/session/all`).catch(()=>void 0);this.failure=e?.ok?``:a(`loadFailed`),e?.ok&&(this.signIns=(await e.json()).sessions)}async end(e){let t=await fetch(`/session/${e.id}`,{method:`DELETE`}).catch(()=>void 0);await this.load(),!t?.ok&&t?.status!==404&&(this.failure=a(`loadFailed`))}async endAll(){(await fetch(`/session/all`,{method:`DELETE`}).catch(()=>void 0))?.ok?location.assign(`/signin`):this.failure=a(`loadFailed`)}async changePassword(e){e.preventDefault();let t=e.target,n=new FormData(t),r={currentPassword:n.get(`currentPassword`),newPassword:n.get(`newPassword`)};this.isBusy=!0,this.error=this.status=``;try{let e=await fetch(`/session/password`,{method:`POST`,headers:{"Content-Type":`application/json`},body:JSON.stringify(r)});if(!e.ok){this.error=(await e.json()).message;return}t.reset(),this.status=a(`passwordChanged`),await this.load()}catch{this.error=a(`saveFailed`)}finally{this.isBusy=!1}}};o([s()],d.prototype,`session`,void 0),o([s()],d.prototype,`signIns`,void 0),o([s()],d.prototype,`error`,void 0),o([s()],d.prototype,`status`,void 0),o([s()],d.prototype,`failure`,void 0),o([s()],d.prototype,`isBusy`,void 0),d=o([e(`visavis-profile`)],d);var f=[[/Edg\//,`Edge`],[/OPR\//,`Opera`],[/Firefox\//,`Firefox`],[/Chrom(e|ium)\//,`Chrome`],[/Safari\//,`Safari`]],p=[[/Android/,`Android`],[/iPhone|iPad/,`iOS`],[/Windows/,`Windows`],[/Mac OS X/,`macOS`],[/CrOS/,`ChromeOS`],[/Linux/,`Linux`]],m=e=>[f,p].map(t=>t.find(([t])=>t.test(e))?.[1]).filter(Boolean).join(` · `)||e||a(`unknownDevice`);