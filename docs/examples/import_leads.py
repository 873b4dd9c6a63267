"""Import 10,000 leads, give up 100 of them, read a statistic: python import_leads.py http://…/n/demo/api/v1 TOKEN."""

import json
import sys
from urllib.request import Request, urlopen

base, token = sys.argv[1:]


def ask(method, path, body=None, **headers):
    headers |= {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    sent = None if body is None else json.dumps(body).encode()
    with urlopen(Request(base + path, sent, headers, method=method)) as answer:
        return json.load(answer)


leads = [{"first_name": f"Lead {number}", "last_name": "Imported"} for number in range(10_000)]
imported = []
for start in range(0, len(leads), 1000):
    batch = {"items": leads[start : start + 1000]}  # sent twice under the same key, it is imported once
    answer = ask("POST", "/entities/lead/bulk", batch, **{"Idempotency-Key": f"import-2026-11-{start}"})
    imported += [result["id"] for result in answer["results"] if result["status"] == 201]
lost = {"items": [{"id": each} for each in imported[:100]], "form": {"lost_reason": "wrong_number"}}
moved = ask("POST", "/entities/lead/bulk/recruiting/lose", lost)
print(f"{len(imported)} leads imported, {moved['done']} of them moved")
for row in ask("GET", "/statistics/leads_by_state")["rows"]:
    print(row["group"][0], row["value"])
