"""minilm_onnx.py - all-MiniLM-L6-v2 as an ONNX graph, made from its safetensors.

The graph is what an export of the sentence embedder gives (BERT encoder, mean of the tokens, unit
length), so that ONNX Runtime's own fusions find what they look for; no torch is needed to make it.
make_int8() is ONNX Runtime's dynamic quantisation, with a scale for each column of weights or, as is
its default and costs much precision here, one for each tensor.

SPDX-License-Identifier: MIT
"""
import json
import pathlib

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic
from safetensors.numpy import load_file

OPSET = 17  # LayerNormalization is an operator since


class Graph:
    """Nodes in the order they run; every helper returns the name of what it made."""

    def __init__(self):
        self.nodes, self.constants, self.count = [], [], 0

    def constant(self, value, dtype=None):
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(value, dtype=dtype), name))
        return name

    def node(self, op, *inputs, **attributes):
        self.count += 1
        name = f"{op.lower()}_{self.count}"
        self.nodes.append(helper.make_node(op, list(inputs), [name], name=name, **attributes))
        return name


class Encoder:
    def __init__(self, folder):
        self.config = json.loads((folder / "config.json").read_text())
        self.tensors = load_file(folder / "model.safetensors")
        self.g = Graph()

    def linear(self, x, name):
        product = self.g.node("MatMul", x, self.g.constant(self.tensors[name + ".weight"].T.copy()))
        return self.g.node("Add", product, self.g.constant(self.tensors[name + ".bias"]))

    def norm(self, x, name):
        weight, bias = (self.g.constant(self.tensors[f"{name}.{part}"]) for part in ("weight", "bias"))
        return self.g.node("LayerNormalization", x, weight, bias, axis=-1,
                           epsilon=self.config["layer_norm_eps"])

    def gelu(self, x):
        """x * (erf(x / sqrt 2) + 1) / 2, in the form that is fused into one operator."""
        g = self.g
        erf = g.node("Erf", g.node("Div", x, g.constant(np.sqrt(2), np.float32)))
        twice = g.node("Mul", x, g.node("Add", erf, g.constant(1, np.float32)))
        return g.node("Mul", twice, g.constant(0.5, np.float32))

    def heads(self, x, order):
        heads = self.config["num_attention_heads"]
        shape = [0, 0, heads, self.config["hidden_size"] // heads]
        split = self.g.node("Reshape", x, self.g.constant(shape, np.int64))
        return self.g.node("Transpose", split, perm=order)

    def attention(self, h, mask, name):
        g, size = self.g, self.config["hidden_size"] // self.config["num_attention_heads"]
        query = self.heads(self.linear(h, name + ".self.query"), [0, 2, 1, 3])
        key = self.heads(self.linear(h, name + ".self.key"), [0, 2, 3, 1])
        value = self.heads(self.linear(h, name + ".self.value"), [0, 2, 1, 3])
        scores = g.node("Div", g.node("MatMul", query, key), g.constant(np.sqrt(size), np.float32))
        weights = g.node("Softmax", g.node("Add", scores, mask), axis=-1)
        joined = g.node("Transpose", g.node("MatMul", weights, value), perm=[0, 2, 1, 3])
        flat = g.node("Reshape", joined, g.constant([0, 0, self.config["hidden_size"]], np.int64))
        return self.norm(g.node("Add", self.linear(flat, name + ".output.dense"), h),
                         name + ".output.LayerNorm")

    def layer(self, h, mask, name):
        h = self.attention(h, mask, name + ".attention")
        wide = self.gelu(self.linear(h, name + ".intermediate.dense"))
        return self.norm(self.g.node("Add", self.linear(wide, name + ".output.dense"), h),
                         name + ".output.LayerNorm")

    def embeddings(self):
        g = self.g
        words = g.node("Gather", g.constant(self.tensors["embeddings.word_embeddings.weight"]), "ids")
        length = g.node("Gather", g.node("Shape", "ids"), g.constant(1, np.int64), axis=0)
        range_ = g.node("Range", g.constant(0, np.int64), length, g.constant(1, np.int64))
        places = g.node("Gather", g.constant(self.tensors["embeddings.position_embeddings.weight"]), range_)
        kind = g.constant(self.tensors["embeddings.token_type_embeddings.weight"][0])
        return self.norm(g.node("Add", g.node("Add", words, kind), places), "embeddings.LayerNorm")

    def pool(self, h, real):
        """Mean of the tokens that are there, then unit length."""
        g = self.g
        last = g.constant([-1], np.int64)
        weights = g.node("Unsqueeze", real, last)
        total = g.node("ReduceSum", g.node("Mul", h, weights), g.constant([1], np.int64), keepdims=0)
        mean = g.node("Div", total, g.node("ReduceSum", real, g.constant([1], np.int64), keepdims=1))
        return g.node("Div", mean, g.node("ReduceL2", mean, axes=[-1], keepdims=1))

    def build(self):
        g = self.g
        real = g.node("Cast", "mask", to=TensorProto.FLOAT)
        axes = g.constant([1, 2], np.int64)
        absent = g.node("Sub", g.constant(1, np.float32), g.node("Unsqueeze", real, axes))
        mask = g.node("Mul", absent, g.constant(-1e9, np.float32))
        h = self.embeddings()
        for index in range(self.config["num_hidden_layers"]):
            h = self.layer(h, mask, f"encoder.layer.{index}")
        g.nodes.append(helper.make_node("Identity", [self.pool(h, real)], ["vectors"]))
        inputs = [helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "length"])
                  for name in ("ids", "mask")]
        vectors = helper.make_tensor_value_info("vectors", TensorProto.FLOAT,
                                                ["batch", self.config["hidden_size"]])
        graph = helper.make_graph(g.nodes, "minilm", inputs, [vectors], g.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)])
        model.ir_version = 8
        onnx.checker.check_model(model)
        return model


def make_fp32(folder, path):
    onnx.save(Encoder(pathlib.Path(folder)).build(), path)


def make_int8(fp32, path, per_channel):
    quantize_dynamic(fp32, path, weight_type=QuantType.QInt8, per_channel=per_channel)
