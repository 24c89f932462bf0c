"""The student's tokenizer: files, engines, vocabulary (rule R8, docs/rules.md).

- `student`: find a student by name, check that it is supported.
- `files`: download a student's files, compute their checksums.
- `qwen3_tokenizer`: assemble Qwen3's `tokenizer.json` offline.
- `engines`: encode text with fastokens or with Hugging Face tokenizers.
- `caching_engine`: an engine that encodes each text once.
- `vocabulary`: decode ids without an engine; `byte_level` is the spelling of its tokens.
- `windows`: split long texts where it doesn't change the result.

May import `renderers` and the layers below `tokens`.
"""
