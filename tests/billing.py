"""A network that writes invoices: a record with lines, and lines of lines."""

from __future__ import annotations

NETWORK = """
network: billing
label: Billing
languages: [fr, en]
timezone: Europe/Paris
countries: [FR, BE]
---
entity: product
title: "{{ record.name }}"
fields:
  name: {type: text, required: true}
---
entity: invoice
label: {fr: Facture, en: Invoice}
plural: {fr: Factures, en: Invoices}
title: "{{ record.customer }}"
owner: true
search: [customer]
fields:
  customer: {type: text, required: true, label: {fr: Client, en: Customer}}
  closed:   {type: boolean, default: false}
  total:    {type: money, label: Total, compute: "=sum(record.lines, l, l.amount)"}
  number:   {type: integer, label: {fr: Nombre, en: Number}, compute: "=count(record.lines)"}
  large:    {type: boolean, compute: "=record.total > 1000 || record.lines.exists(l, l.quantity > 99)"}
---
entity: line
label: {fr: Ligne, en: Line}
plural: {fr: Lignes, en: Lines}
title: "{{ record.text }}"
parent: invoice
as: lines
search: [text]
fields:
  text:     {type: text, required: true, max: 40, label: {fr: Texte, en: Text}}
  quantity: {type: integer, default: 1, min: 1, label: {fr: "Quantité", en: Quantity}}
  price:    {type: money, required: true, label: {fr: Prix, en: Price}}
  amount:   {type: money, label: {fr: Montant, en: Amount}, compute: "=record.price * record.quantity"}
  product:  {type: reference, to: product, label: {fr: Produit, en: Product}}
  code:     {type: text, unique: [parent]}
  cost:     {type: money, label: {fr: "Coût", en: Cost}}
---
entity: remark
label: {fr: Remarque, en: Remark}
title: "{{ record.text }}"
parent: line
as: remarks
fields:
  text: {type: text, required: true}
---
entity: claim
label: {fr: "Réclamation", en: Claim}
title: "{{ record.text }}"
fields:
  text: {type: text, required: true}
  line: {type: reference, to: line, on_delete: restrict}
---
process: sending
entity: invoice
states:
  draft: {initial: true}
  sent:  {final: true}
transitions:
  send: {from: draft, to: sent, guard: "record.lines.exists(l, l.amount > 0)", undo: 10m}
---
process: delivering
entity: line
states:
  open:      {initial: true}
  delivered: {final: true}
transitions:
  deliver: {from: open, to: delivered, set: {quantity: =record.quantity + 1}, undo: 10m}
"""

LEVELS = """
level: seller
label: {fr: Vendeur, en: Seller}
functions: [consult, communicate, import, export, analyse]
entities:
  product: {read: all}
  claim:   {read: all, create: true, update: all, delete: all}
  invoice: {read: mine, create: true, update: "record.owner == actor && !record.closed", delete: mine}
  line:    {fields: {cost: {read: none, write: none}}}
---
level: clerk
label: {fr: Commis, en: Clerk}
functions: [consult]
entities:
  product: {read: all}
  invoice: {read: all, update: all}
  line:    {read: record.amount < 500, create: false, delete: none}
---
level: reader
label: {fr: Lecteur, en: Reader}
functions: [consult]
entities:
  invoice: {read: all}
"""

BILLING = {"network.yaml": NETWORK, "levels.yaml": LEVELS}
FOR_OFFICE = {
    **BILLING,
    "levels.yaml": LEVELS.replace("level: seller", "level: distributor").replace("level: clerk", "level: assistant"),
}
"""The same for the people of `tests.admin.office`."""
