/* empty css             */import{a as e,f as t,g as n,h as r,i,l as a,m as o,t as s,v as c,x as l}from"./decorate-t_bKOMS2.js";import{t as u}from"./en-errors-CP5f9I_7.js";import{t as d}from"./refusal-CBjRxXIj.js";var f=class extends r{constructor(...e){super(...e),this.error=``,this.isBusy=!1}static{this.styles=[i,l`
      main { max-width: 24rem; margin: 0 auto; padding: max(2rem, 12vh) 1rem 2rem; }
      .brand { display: flex; gap: 0.75rem; align-items: center; justify-content: center; font-weight: 650; font-size: 1.25rem; margin-bottom: 1.5rem; color: var(--ink); text-decoration: none; }
      form { display: grid; gap: 1rem; padding: 1.75rem; }
      h1, .error { margin: 0; }
      .error:empty { display: none; }
    `]}render(){return c`<main>
      <a class="brand" href="/">${e(40)} Visavis</a>
      <form class="card" @submit=${this.submit}>
        <h1>${a(`signIn`)}</h1>
        <label class="field">${a(`email`)}<input name="email" type="text" inputmode="email" autocomplete="username" required autofocus /></label>
        <label class="field">${a(`password`)}<input name="password" type="password" autocomplete="current-password" required /></label>
        <p class="error" role="alert">${this.error||n}</p>
        <button class="primary" ?disabled=${this.isBusy}>${a(`signIn`)}</button>
      </form>
    </main>`}async submit(e){e.preventDefault();let t=Object.fromEntries(new FormData(e.target));this.isBusy=!0,this.error=``;try{await this.send(t)}catch{this.error=a(`signInFailed`)}finally{this.isBusy=!1}}async send(e){let t=await fetch(`/session`,{method:`POST`,headers:{"Content-Type":`application/json`},body:JSON.stringify(e)});t.ok?location.assign(p()):this.error=d(u,await t.json())}};s([t()],f.prototype,`error`,void 0),s([t()],f.prototype,`isBusy`,void 0),f=s([o(`visavis-signin`)],f);var p=()=>{let e=new URLSearchParams(location.search).get(`next`)??`/console`,t=new URL(e,location.origin);return t.origin===location.origin?t.href:`/console`};