import{a as e,g as t,h as n,i as r,l as i,m as a,p as o,t as s,v as c,x as l}from"./decorate-COi_vpsM.js";import{a as u,i as d,r as f}from"./session-Dja4Jnsq.js";var p=class extends n{constructor(...e){super(...e),this.current=``,this.session=null,this.alone=!1}static{this.styles=[r,l`
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
      @media (forced-colors: active) { nav a[aria-current] { border-bottom: 3px solid Highlight; } }
    `]}render(){let n=c`${e(28)}<span>Visavis</span>`;return c`<header class=${this.session?`short`:``}>
      ${this.alone?c`<span class="brand">${n}</span>`:c`<a class="brand" href="/">${n}</a>`}
      ${this.alone?t:c`<nav aria-label="Visavis">${this.links()}</nav>`}
      <slot></slot>
      ${this.person()}
    </header>`}links(){return d.filter(([,e])=>u(e,this.session)).map(([e,n])=>c`<a href=${n} aria-current=${e===this.current?`page`:t}>${i(e)}</a>`)}person(){return this.session?c`<a class="quiet name" href="/profile" title=${i(`yourAccount`)}>${this.session.agentName}</a>
        <button @click=${()=>f()}>${i(`signOut`)}</button>`:this.alone?t:c`<a class="button" href="/signin?next=${encodeURIComponent(location.pathname)}">${i(`signIn`)}</a>`}};s([o()],p.prototype,`current`,void 0),s([o({attribute:!1})],p.prototype,`session`,void 0),s([o({type:Boolean})],p.prototype,`alone`,void 0),p=s([a(`visavis-header`)],p);