/*
 * status_page.c - the page for people.
 *
 * It shows what /summary and /pools say, as text only: nothing that a pool sent becomes
 * markup.
 *
 * SPDX-License-Identifier: MIT
 */
#include "miner/status_page.h"

#include <string.h>

static const char page[] =
    "<!doctype html><html lang=en><meta charset=utf-8><title>minerva</title>\n"
    "<meta name=viewport content='width=device-width'>\n"
    "<style>\n"
    "body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;"
    "padding:0 1rem;color:#222}\n"
    "h1{font-size:1.4rem}table{border-collapse:collapse;width:100%;margin:1rem 0}\n"
    "th,td{text-align:left;padding:.3rem .8rem .3rem 0;border-bottom:1px solid #ddd}\n"
    "@media(prefers-color-scheme:dark){body{background:#181818;color:#ddd}"
    "th,td{border-color:#444}}\n"
    "</style>\n"
    "<h1>minerva <span id=head></span></h1>\n"
    "<table id=totals></table><table id=devices></table><table id=pools></table>\n"
    "<script>\n"
    "const units=['H/s','kH/s','MH/s','GH/s','TH/s','PH/s'];\n"
    "function rate(v){if(v===null)return 'n/a';let i=0;"
    "while(v>=1000&&i<5){v/=1000;i++}return v.toFixed(1)+' '+units[i]}\n"
    "function value(v,unit){return v===null?'n/a':Math.round(v)+' '+unit}\n"
    "function fill(id,head,rows){const t=document.getElementById(id);"
    "t.replaceChildren();\n"
    " for(const [cells,kind] of [[head,'th'],...rows.map(r=>[r,'td'])]){"
    "const tr=t.insertRow();\n"
    "  for(const c of cells){const e=document.createElement(kind);e.textContent=c;"
    "tr.append(e)}}}\n"
    "function shares(s){return s.accepted+' / '+s.stale+' / '+s.rejected}\n"
    "async function turn(){try{\n"
    " const s=await(await fetch('/summary')).json(),"
    "p=await(await fetch('/pools')).json(),h=s.hashrate_hs;\n"
    " document.getElementById('head').textContent="
    "s.version+', '+s.worker+', '+s.status;\n"
    " fill('totals',['10 s','60 s','15 min','effective','useful',"
    "'accepted / stale / rejected','tasks done'],\n"
    "  [[rate(h['10s']),rate(h['60s']),rate(h['15m']),rate(h.effective),\n"
    "   s.usefulness===null?'n/a':(100*s.usefulness).toFixed(1)+' %',"
    "shares(s.shares),s.tasks.done]]);\n"
    " fill('devices',['device','name','60 s','power','temperature',"
    "'accepted / stale / rejected','state'],\n"
    "  s.devices.map(d=>[d.backend+d.index,d.name,rate(d.hashrate_hs['60s']),"
    "value(d.power_w,'W'),\n"
    "   value(d.temp_c,'\\u00b0C'),shares(d.shares),d.reason||d.state]));\n"
    " fill('pools',['pool','state','reply','accepted / stale / rejected'],\n"
    "  p.pools.map(q=>[q.url+(q.current?' *':''),q.reason||q.state,"
    "value(q.ping_ms,'ms'),shares(q.shares)]));\n"
    "}catch(e){document.getElementById('head').textContent='does not answer'}}\n"
    "turn();setInterval(turn,2000);\n"
    "</script>\n";

enum status status_page(const struct standing *standing, struct blob *out)
{
    (void)standing;
    return blob_add(out, page, strlen(page));
}
