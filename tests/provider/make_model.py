"""Writes a model of one layer with random weights: it says letters, as fast as can be, without end.

    make_model.py FILE

Needs numpy and gguf.
"""

import sys

import gguf
import numpy

WIDTH, HEADS, INNER, CONTEXT, LAYERS = 32, 2, 64, 2048, 1


def tokens():
    yield b"<unk>", gguf.TokenType.UNKNOWN
    yield b"<s>", gguf.TokenType.CONTROL
    yield b"</s>", gguf.TokenType.CONTROL
    for byte in range(256):
        yield b"<0x%02X>" % byte, gguf.TokenType.BYTE
    for letter in "\u2581abcdefghijklmnopqrstuvwxyz":
        yield letter.encode(), gguf.TokenType.NORMAL


def main():
    writer = gguf.GGUFWriter(sys.argv[1], "llama")
    random = numpy.random.default_rng(1)
    vocabulary = list(tokens())
    writer.add_name("nonsense")
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_rope_dimension_count(WIDTH // HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(len(vocabulary))
    writer.add_tokenizer_model("llama")
    writer.add_token_list([token for token, _ in vocabulary])
    writer.add_token_scores([0.0] * len(vocabulary))
    writer.add_token_types([kind for _, kind in vocabulary])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)

    def weights(*shape):
        return random.normal(0, 0.4, shape).astype(numpy.float32)

    def add(name, *shape):
        writer.add_tensor(name, weights(*shape))

    def add_ones(name):
        writer.add_tensor(name, numpy.ones(WIDTH, numpy.float32))

    add("token_embd.weight", len(vocabulary), WIDTH)
    for layer in range(LAYERS):
        prefix = f"blk.{layer}."
        add_ones(prefix + "attn_norm.weight")
        add_ones(prefix + "ffn_norm.weight")
        for name in ("attn_q", "attn_k", "attn_v", "attn_output"):
            add(f"{prefix}{name}.weight", WIDTH, WIDTH)
        add(prefix + "ffn_gate.weight", INNER, WIDTH)
        add(prefix + "ffn_up.weight", INNER, WIDTH)
        add(prefix + "ffn_down.weight", WIDTH, INNER)
    add_ones("output_norm.weight")
    # Some letter is always more likely than what has no weight: a byte, the end.
    output = weights(len(vocabulary), WIDTH)
    for row, (_, kind) in enumerate(vocabulary):
        if kind != gguf.TokenType.NORMAL:
            output[row] = 0
    writer.add_tensor("output.weight", output)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


main()
