/* empty css             */import{d as e,f as t,h as n,l as r,o as i,p as a,r as o,t as s,v as c}from"./decorate-Bnx8GlF5.js";var l=class extends t{constructor(...e){super(...e),this.error=``,this.isBusy=!1}static{this.styles=[o,c`
      main { max-width: 22rem; margin: 12vh auto; padding: 0 1rem; }
      label { display: block; font-weight: 600; margin-bottom: 1rem; }
      input { display: block; width: 100%; font: inherit; padding: 0.6rem; margin-top: 0.25rem; border-radius: 8px; border: 1px solid var(--quiet); background: transparent; color: inherit; }
      button { width: 100%; }
    `]}render(){return n`<main>
      <form class="card" @submit=${this.submit}>
        <h1>${i(`signIn`)}</h1>
        <label>${i(`email`)}<input name="email" type="text" inputmode="email" autocomplete="username" required autofocus /></label>
        <label>${i(`password`)}<input name="password" type="password" autocomplete="current-password" required /></label>
        <p class="error" role="alert">${this.error||a}</p>
        <button class="primary" ?disabled=${this.isBusy}>${i(`signIn`)}</button>
      </form>
    </main>`}async submit(e){e.preventDefault();let t=Object.fromEntries(new FormData(e.target));this.isBusy=!0;let n=await fetch(`/session`,{method:`POST`,headers:{"Content-Type":`application/json`},body:JSON.stringify(t)});this.isBusy=!1,n.ok?location.assign(u()):this.error=(await n.json()).message}};s([r()],l.prototype,`error`,void 0),s([r()],l.prototype,`isBusy`,void 0),l=s([e(`visavis-signin`)],l);var u=()=>{let e=new URLSearchParams(location.search).get(`next`)??`/console`,t=new URL(e,location.origin);return t.origin===location.origin?t.href:`/console`};