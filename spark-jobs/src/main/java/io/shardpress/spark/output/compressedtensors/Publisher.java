package io.shardpress.spark.output.compressedtensors;

import io.shardpress.schemas.output.CompressedTensors;
import io.shardpress.schemas.output.Manifest;
import io.shardpress.schemas.output.ManifestTensor;
import io.shardpress.schemas.output.ManifestTensor.Action;
import io.shardpress.schemas.output.OutputTensor;
import io.shardpress.schemas.safetensors.Dtype;
import io.shardpress.spark.block.LearnedLinear;
import io.shardpress.spark.engine.ClusterTask;
import io.shardpress.spark.io.TensorRef;
import io.shardpress.spark.learn.activation.StaticScale;
import io.shardpress.spark.output.OutputFolder;
import io.shardpress.spark.output.Publication;
import io.shardpress.spark.output.PublishedShard;
import io.shardpress.spark.output.TensorSource;
import io.shardpress.spark.output.gguf.GgufFiles;
import io.shardpress.spark.plan.CompressionPlan;
import io.shardpress.spark.plan.PlanEntry;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/** Publishes a finished run: shards, then the files around them, the manifest last. */
public final class Publisher {
  private final CompressionPlan plan;
  private final Map<String, LearnedLinear> learned;
  private final Map<String, StaticScale> scales;
  private final OutputFolder output;
  private final GgufFiles gguf;

  /**
   * @param learned by module
   * @param scales by name of the tensor that they are published as
   */
  public Publisher(
      CompressionPlan plan,
      Map<String, LearnedLinear> learned,
      Map<String, StaticScale> scales,
      OutputFolder output) {
    this.plan = plan;
    this.learned = learned;
    this.scales = scales;
    this.output = output;
    this.gguf = plan.gguf() == null ? null : new GgufFiles(plan, learned, output);
  }

  private TensorSource source(PlanEntry entry, OutputTensor tensor) {
    Dtype dtype = Dtype.of(tensor.dtype());
    StaticScale scale = scales.get(tensor.name());
    if (scale != null) {
      return new TensorSource.Activation(scale, dtype);
    }
    if (entry.action() == Action.COPY) {
      return new TensorSource.Copy(entry.source());
    }
    LearnedLinear linear = learned.get(entry.module());
    String suffix = tensor.name().substring(entry.module().length());
    return switch (suffix) {
      case ".weight" -> new TensorSource.Integers(linear);
      case ".weight_packed" -> new TensorSource.Codes(linear);
      case ".weight_scale" ->
          linear.scheme().form().fp4()
              ? new Fp4Source.Scales(linear)
              : new TensorSource.Scales(linear, dtype);
      case CompressedTensors.GLOBAL_SCALE -> new Fp4Source.GlobalScale(linear);
      case ".weight_zero_point" ->
          dtype == Dtype.I8 ? new TensorSource.SignedZeros(linear) : new TensorSource.Zeros(linear);
      case CompressedTensors.OUTLIER_INDICES -> new TensorSource.OutlierIndices(linear);
      case CompressedTensors.OUTLIER_VALUES -> new TensorSource.OutlierValues(linear, dtype);
      case CompressedTensors.GROUP_INDEX -> new TensorSource.GroupIndex(linear);
      case ".weight_shape" -> new TensorSource.Shape(linear.out(), linear.in());
      default -> throw new IllegalStateException("no source for " + tensor.name());
    };
  }

  /**
   * Writes everything.
   *
   * @param runTasks runs the shards' tasks on the cluster
   * @param run what is true of this run only, for the manifest
   * @param report files below report/, by name
   */
  public Manifest publish(
      Function<List<? extends ClusterTask<PublishedShard>>, List<PublishedShard>> runTasks,
      String version,
      Map<String, String> run,
      Map<String, byte[]> report) {
    Map<String, TensorSource> sources = new HashMap<>();
    for (PlanEntry entry : plan.entries()) {
      for (OutputTensor tensor : entry.outputs()) {
        sources.put(tensor.name(), source(entry, tensor));
      }
    }
    Map<String, byte[]> files = new LinkedHashMap<>(SideFiles.of(plan));
    report.forEach((name, bytes) -> files.put("report/" + name, bytes));
    return new Publication(
            output, plan.shards(), sources, inputs(), files, gguf, plan.recipe().digest())
        .write(runTasks, version, run);
  }

  private List<ManifestTensor> inputs() {
    List<ManifestTensor> inputs = new ArrayList<>();
    Map<String, String> inGguf = gguf == null ? Map.of() : gguf.names();
    for (PlanEntry entry : plan.entries()) {
      List<String> outputs = new ArrayList<>();
      if (!plan.shards().isEmpty()) {
        entry.outputs().forEach(one -> outputs.add(one.name()));
      }
      if (inGguf.containsKey(entry.tensor().tensor())) {
        outputs.add(inGguf.get(entry.tensor().tensor()));
      }
      boolean dropped = outputs.isEmpty() && entry.action() != Action.DROP;
      for (TensorRef tensor : entry.tensor().sources()) {
        inputs.add(
            new ManifestTensor(
                tensor.tensor(),
                tensor.shard(),
                tensor.dtype().name(),
                tensor.shape(),
                dropped ? Action.DROP : entry.action(),
                dropped ? "llama.cpp does without it" : entry.reason(),
                outputs));
      }
    }
    return inputs;
  }
}
