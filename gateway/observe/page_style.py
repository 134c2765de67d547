"""How the status page looks, and the one script that renews its figures. Nothing comes from elsewhere."""

STYLE = """
:root{color-scheme:light dark;--ink:#1b2330;--dim:#5b6675;--paper:#f6f7f9;--card:#fff;--edge:#d9dee5;--good:#116b3a;
--bad:#a3261b;--cloud:#1f4fa3;--local:#116b3a}
@media(prefers-color-scheme:dark){:root{--ink:#e8ecf1;--dim:#a0abba;--paper:#12161c;--card:#1b2129;--edge:#303946;
--good:#6fd79b;--bad:#ff9a8d;--cloud:#9dc0ff;--local:#6fd79b}}
*{box-sizing:border-box}body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
main,header,footer{max-width:80rem;margin:0 auto;padding:0 1rem}header{padding-top:1.5rem}h1{font-size:1.5rem;margin:0}
h2{font-size:1.05rem;margin:2rem 0 .6rem}p{margin:.3rem 0}.dim{color:var(--dim)}.good{color:var(--good)}
.bad{color:var(--bad);font-weight:600}.cloud{color:var(--cloud)}.local{color:var(--local)}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(11rem,1fr));gap:.75rem}
.card{background:var(--card);border:1px solid var(--edge);border-radius:.6rem;padding:.75rem .9rem;margin:0}
.card dt{color:var(--dim);font-size:.85rem}.card dd{margin:0;font-size:1.45rem;font-variant-numeric:tabular-nums}
.card dd.note{font-size:.8rem;color:var(--dim)}
.scroll{overflow-x:auto;background:var(--card);border:1px solid var(--edge);border-radius:.6rem}
table{border-collapse:collapse;width:100%;font-size:.9rem}th,td{text-align:left;padding:.4rem .7rem;white-space:nowrap}
th{color:var(--dim);font-weight:600}tbody tr{border-top:1px solid var(--edge)}td.n,th.n{text-align:right;
font-variant-numeric:tabular-nums}footer{padding:2rem 1rem;font-size:.85rem}
button{font:inherit;font-size:.85rem;color:inherit;background:var(--card);border:1px solid var(--edge);
border-radius:.4rem;padding:.15rem .6rem;cursor:pointer}a{color:var(--cloud)}
.scroll:focus-visible{outline:3px solid var(--cloud)}
"""


# Renews the figures in place, so that scrolling and focus stay; a button stops it. Without it the page is just still.
SCRIPT = """
const button=document.getElementById("live"),moment=document.getElementById("moment");
const main=document.querySelector("main");
let live=true;button.hidden=false;
button.onclick=()=>{live=!live;button.textContent=live?"Pause":"Go on";};
setInterval(async()=>{if(!live||document.hidden)return;
try{const answer=await fetch(location.href);if(!answer.ok)return;
const fresh=new DOMParser().parseFromString(await answer.text(),"text/html");
main.querySelectorAll(":scope > section").forEach(old=>old.remove());
main.append(...fresh.querySelectorAll("main > section"));
moment.textContent=fresh.getElementById("moment").textContent;
}catch(error){moment.textContent="The gateway does not answer.";}
},5000);
"""
