import{_ as e,b as t,c as n,d as r,h as i,i as a,m as o,p as s,t as c}from"./decorate-CgotLSzj.js";import{n as l}from"./format-DdnngG-R.js";import{n as u}from"./page-header-NwGLaUqJ.js";var d=class extends o{constructor(...e){super(...e),this.signIns=[],this.error=``,this.status=``,this.failure=``,this.isBusy=!1}static{this.styles=[a,t`
      main { max-width: 46rem; margin: 0 auto; padding: 1.5rem 1.25rem 4rem; display: grid; gap: 1.25rem; grid-template-columns: minmax(0, 1fr); }
      form { display: grid; gap: 1rem; justify-items: start; }
      form .field { width: min(100%, 24rem); }
      form p { margin: 0; }
      ul { list-style: none; margin: 0 0 1rem; padding: 0; }
      li { display: flex; flex-wrap: wrap; gap: 0.5rem 1rem; align-items: center; justify-content: space-between; padding: 0.75rem 0; border-top: 1px solid var(--line); overflow-wrap: anywhere; }
      li p { margin: 0.15rem 0 0; }
      .here { border-color: var(--accent); color: var(--accent); }
    `]}async connectedCallback(){super.connectedCallback(),this.session=await u(),await this.load()}render(){return this.session?e`
      <visavis-header .session=${this.session}></visavis-header>
      <main>
        <h1>${n(`yourAccount`)}</h1>
        <p class="quiet">${this.session.agentName} · ${this.session.email}</p>
        ${this.passwordForm(this.session)} ${this.list()}
      </main>
    `:i}passwordForm({email:t}){return e`<section class="card" aria-labelledby="password-title">
      <h2 id="password-title">${n(`changePassword`)}</h2>
      <form @submit=${this.changePassword}>
        <input class="unseen" type="text" name="username" autocomplete="username" .value=${t} tabindex="-1" aria-hidden="true" readonly />
        <label class="field">${n(`currentPassword`)}<input name="currentPassword" type="password" autocomplete="current-password" required /></label>
        <label class="field">${n(`newPassword`)}<input name="newPassword" type="password" autocomplete="new-password" minlength="10" maxlength="1024" required aria-describedby="password-help" /></label>
        <p class="quiet" id="password-help">${n(`newPasswordHelp`)}</p>
        <p class="error" role="alert">${this.error||i}</p>
        <button class="primary" ?disabled=${this.isBusy}>${n(`changePassword`)}</button>
        <p class="quiet" role="status">${this.status}</p>
      </form>
    </section>`}list(){return e`<section class="card" aria-labelledby="sessions-title">
      <h2 id="sessions-title">${n(`sessions`)}</h2>
      ${this.failure?e`<p class="error" role="alert">${this.failure}</p>`:i}
      <ul>${this.signIns.map(e=>this.item(e))}</ul>
      <button @click=${()=>this.endAll()}>${n(`signOutEverywhere`)}</button>
    </section>`}item(t){let r=m(t.device);return e`<li>
      <div>
        <span title=${t.device}>${r}</span>
        ${t.isCurrent?e`<span class="badge here">${n(`thisBrowser`)}</span>`:i}
        <p class="quiet">${t.address||n(`thisMachine`)} · ${n(`lastUse`)} ${l(t.lastUseTime)} · ${n(`signedInOn`)} ${l(t.createTime)}</p>
      </div>
      ${t.isCurrent?i:e`<button aria-label="${n(`signOut`)}: ${r}" @click=${()=>this.end(t)}>${n(`signOut`)}</button>`}
    </li>`}async load(){let e=await fetch(`/session/all`).catch(()=>void 0);this.failure=e?.ok?``:n(`loadFailed`),e?.ok&&(this.signIns=(await e.json()).sessions)}async end(e){let t=await fetch(`/session/${e.id}`,{method:`DELETE`}).catch(()=>void 0);await this.load(),!t?.ok&&t?.status!==404&&(this.failure=n(`loadFailed`))}async endAll(){(await fetch(`/session/all`,{method:`DELETE`}).catch(()=>void 0))?.ok?location.assign(`/signin`):this.failure=n(`loadFailed`)}async changePassword(e){e.preventDefault();let t=e.target,r=new FormData(t),i={currentPassword:r.get(`currentPassword`),newPassword:r.get(`newPassword`)};this.isBusy=!0,this.error=this.status=``;try{let e=await fetch(`/session/password`,{method:`POST`,headers:{"Content-Type":`application/json`},body:JSON.stringify(i)});if(!e.ok){this.error=(await e.json()).message;return}t.reset(),this.status=n(`passwordChanged`),await this.load()}catch{this.error=n(`saveFailed`)}finally{this.isBusy=!1}}};c([r()],d.prototype,`session`,void 0),c([r()],d.prototype,`signIns`,void 0),c([r()],d.prototype,`error`,void 0),c([r()],d.prototype,`status`,void 0),c([r()],d.prototype,`failure`,void 0),c([r()],d.prototype,`isBusy`,void 0),d=c([s(`visavis-profile`)],d);var f=[[/Edg\//,`Edge`],[/OPR\//,`Opera`],[/Firefox\//,`Firefox`],[/Chrom(e|ium)\//,`Chrome`],[/Safari\//,`Safari`]],p=[[/Android/,`Android`],[/iPhone|iPad/,`iOS`],[/Windows/,`Windows`],[/Mac OS X/,`macOS`],[/CrOS/,`ChromeOS`],[/Linux/,`Linux`]],m=e=>[f,p].map(t=>t.find(([t])=>t.test(e))?.[1]).filter(Boolean).join(` · `)||e||n(`unknownDevice`);