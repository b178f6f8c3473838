import{f as e,g as t,i as n,m as r,p as i,r as a,s as o,t as s,u as c,y as l}from"./decorate-Bp4JMDkJ.js";var u=class extends i{constructor(...e){super(...e),this.error=``,this.isBusy=!1}static{this.styles=[a,l`
      main { max-width: 24rem; margin: 0 auto; padding: max(2rem, 12vh) 1rem 2rem; }
      .brand { display: flex; gap: 0.75rem; align-items: center; justify-content: center; font-weight: 650; font-size: 1.25rem; margin-bottom: 1.5rem; color: var(--ink); text-decoration: none; }
      form { display: grid; gap: 1rem; padding: 1.75rem; }
      h1, .error { margin: 0; }
      .error:empty { display: none; }
    `]}render(){return t`<main>
      <a class="brand" href="/">${n(40)} Visavis</a>
      <form class="card" @submit=${this.submit}>
        <h1>${o(`signIn`)}</h1>
        <label class="field">${o(`email`)}<input name="email" type="text" inputmode="email" autocomplete="username" required autofocus /></label>
        <label class="field">${o(`password`)}<input name="password" type="password" autocomplete="current-password" required /></label>
        <p class="error" role="alert">${this.error||r}</p>
        <button class="primary" ?disabled=${this.isBusy}>${o(`signIn`)}</button>
      </form>
    </main>`}async submit(e){e.preventDefault();let t=Object.fromEntries(new FormData(e.target));this.isBusy=!0,this.error=``;try{await this.send(t)}catch{this.error=o(`signInFailed`)}finally{this.isBusy=!1}}async send(e){let t=await fetch(`/session`,{method:`POST`,headers:{"Content-Type":`application/json`},body:JSON.stringify(e)});t.ok?location.assign(d()):this.error=(await t.json()).message}};s([c()],u.prototype,`error`,void 0),s([c()],u.prototype,`isBusy`,void 0),u=s([e(`visavis-signin`)],u);var d=()=>{let e=new URLSearchParams(location.search).get(`next`)??`/console`,t=new URL(e,location.origin);return t.origin===location.origin?t.href:`/console`};