import{a as e,f as t,g as n,h as r,i,l as a,m as o,p as s,t as c,v as l,x as u}from"./decorate-t_bKOMS2.js";import{a as d,i as f,o as p}from"./session-CMND6Py3.js";var m=class extends r{constructor(...e){super(...e),this.current=``,this.session=null,this.alone=!1,this.hasFailed=!1,this.signOut=async()=>{this.hasFailed=!1,this.hasFailed=!await f()}}static{this.styles=[i,u`
      :host { display: block; }
      header { display: flex; flex-wrap: wrap; gap: 0.25rem 1.25rem; align-items: center; padding: 0.5rem clamp(0.75rem, 3vw, 1.25rem); min-height: 3.75rem; border-bottom: 1px solid var(--line); background: var(--card); }
      .brand { display: inline-flex; gap: 0.6rem; align-items: center; font-weight: 650; color: var(--ink); text-decoration: none; min-height: 2.75rem; }
      nav { display: flex; flex-wrap: wrap; gap: 0 0.25rem; }
      slot { display: block; margin-inline-start: auto; }
      nav a { display: inline-flex; align-items: center; min-height: 2.75rem; padding: 0 0.6rem; color: var(--quiet); text-decoration: none; font-weight: 600; border-radius: 8px; }
      nav a:hover { color: var(--accent); }
      nav a[aria-current] { color: var(--ink); box-shadow: inset 0 -3px 0 var(--accent); border-radius: 0; }
      .name { max-width: 14rem; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
      a.button { font-weight: 600; color: var(--accent); display: inline-flex; align-items: center; min-height: 2.75rem; }
      @media (max-width: 60rem) {
        .name { max-width: 7rem; }
        header { column-gap: 0.75rem; }
        .brand { margin-inline-end: auto; }
        nav { order: 3; flex: 1 0 100%; flex-wrap: nowrap; overflow-x: auto; margin: 0 -0.6rem; }
        nav a { flex: none; }
        nav:empty { display: none; }
      }
      @media (max-width: 40rem) { nav { margin: 0 -0.4rem; } nav a { padding: 0 0.4rem; font-size: 0.95rem; } }
      @media (max-width: 26rem) { .short .brand span { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); } nav a { padding: 0 0.3rem; font-size: 0.875rem; } header { column-gap: 0.5rem; } .name { max-width: 4.5rem; } button { padding: 0 0.25rem; border-color: transparent; background: none; font-size: 0.9rem; } }
      @media (max-width: 22rem) { .short { column-gap: 0.25rem; padding: 0.5rem; } .name { max-width: 3rem; font-size: 0.9rem; } }
      @media (forced-colors: active) { nav a[aria-current] { border-bottom: 3px solid Highlight; } }
    `]}render(){let t=l`${e(28)}<span>Visavis</span>`;return l`<header class=${this.session?`short`:``}>
      ${this.alone?l`<span class="brand">${t}</span>`:l`<a class="brand" href="/">${t}</a>`}
      ${this.alone?n:l`<nav aria-label="Visavis">${this.links()}</nav>`}
      <slot></slot>
      ${this.person()}
    </header>`}links(){return d.filter(([,e])=>p(e,this.session)).map(([e,t])=>l`<a href=${t} aria-current=${e===this.current?`page`:n}>${a(e)}</a>`)}person(){return this.session?l`<a class="quiet name" href="/profile" title=${a(`yourAccount`)}>${this.session.agentName}</a>
        <button @click=${this.signOut}>${a(`signOut`)}</button>
        ${this.hasFailed?l`<span class="error" role="alert">${a(`signOutFailed`)}</span>`:n}`:this.alone?n:l`<a class="button" href="/signin?next=${encodeURIComponent(location.pathname)}">${a(`signIn`)}</a>`}};c([s()],m.prototype,`current`,void 0),c([s({attribute:!1})],m.prototype,`session`,void 0),c([s({type:Boolean})],m.prototype,`alone`,void 0),c([t()],m.prototype,`hasFailed`,void 0),m=c([o(`visavis-header`)],m);