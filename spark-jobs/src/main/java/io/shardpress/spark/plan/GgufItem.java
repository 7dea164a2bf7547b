package io.shardpress.spark.plan;

import io.shardpress.schemas.gguf.GgufTensor;

/**
 * A tensor of a GGUF file.
 *
 * @param input name of the tensor that it comes from; null: the divisors of rotary frequencies
 * @param headDim rows of a head whose order changes; 0: rows stay in order
 */
public record GgufItem(GgufTensor tensor, String input, int headDim) {}
