package io.shardpress.spark.app.options;

import io.shardpress.schemas.safetensors.Dtype;
import java.util.Optional;

/**
 * {@code decompress}.
 *
 * @param model URI of a quantized checkpoint's folder
 * @param output URI of the folder to write
 * @param dtype of the weights; empty: F16 where config.json says float16, else BF16
 * @param overwrite replace an output that carries a manifest of ours
 */
public record DecompressOptions(
    String model, String output, Optional<Dtype> dtype, boolean overwrite, SparkSettings spark) {}
