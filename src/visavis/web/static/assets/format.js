<<<<<<< HEAD
var e=e=>{let t=Math.max(0,Math.floor(e)),n=e=>String(e).padStart(2,`0`),r=Math.floor(t/3600),i=`${r?n(Math.floor(t%3600/60)):Math.floor(t/60)}:${n(t%60)}`;return r?`${r}:${i}`:i},t=e=>e<1e6?`${Math.ceil(e/1e3)} KB`:e<1e9?`${(e/1e6).toFixed(1)} MB`:`${(e/1e9).toFixed(2)} GB`,n=e=>new Date(e).toLocaleString(void 0,{dateStyle:`medium`,timeStyle:`short`});export{n,t as r,e as t};
=======
var e=e=>{let t=Math.max(0,Math.floor(e)),n=e=>String(e).padStart(2,`0`),r=Math.floor(t/3600),i=`${r?n(Math.floor(t%3600/60)):Math.floor(t/60)}:${n(t%60)}`;return r?`${r}:${i}`:i},t=e=>`${(e/1e6).toFixed(1)} MB`,n=e=>new Date(e).toLocaleString(void 0,{dateStyle:`medium`,timeStyle:`short`}),r=e=>new Date(e).toLocaleTimeString(void 0,{timeStyle:`short`});export{r as i,n,t as r,e as t};
>>>>>>> sq-pages
