"""Secrets in text: API keys, passwords, private keys and the like.

- `scanner`: find the secrets in a text, by the rules of kingfisher-secret-scanner and by ours (`rules.yaml`).
- `views`: what a text says once JSON escapes and base64 are undone, and where that is in the text.
- `places`: values that stand under the name of a credential in a JSON document.
- `fingerprints`: identify a secret without revealing it.

It knows nothing of rows and rollouts, and needs only `store`.
"""
