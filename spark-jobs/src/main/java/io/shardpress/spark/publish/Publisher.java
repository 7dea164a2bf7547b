package io.shardpress.spark.publish;

import io.shardpress.schemas.output.CompressedTensors;
import io.shardpress.schemas.output.Manifest;
import io.shardpress.schemas.output.ManifestTensor;
import io.shardpress.schemas.output.ManifestTensor.Action;
import io.shardpress.schemas.output.OutputTensor;
import io.shardpress.schemas.output.PublishedFile;
import io.shardpress.schemas.output.PublishedTensor;
import io.shardpress.schemas.safetensors.Dtype;
import io.shardpress.schemas.safetensors.TensorSpec;
import io.shardpress.spark.plan.CompressionPlan;
import io.shardpress.spark.plan.OutputShard;
import io.shardpress.spark.plan.PlanEntry;
import io.shardpress.spark.unit.ClusterTask;
import io.shardpress.spark.unit.LearnedLinear;
import io.shardpress.spark.unit.StaticScale;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
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

  /** Tasks that write the shards, one each. */
  private List<PublishTask> tasks() {
    Map<String, TensorSource> sources = new HashMap<>();
    for (PlanEntry entry : plan.entries()) {
      for (OutputTensor tensor : entry.outputs()) {
        sources.put(tensor.name(), source(entry, tensor));
      }
    }
    List<PublishTask> tasks = new ArrayList<>();
    for (OutputShard shard : plan.shards()) {
      List<ShardItem> items = new ArrayList<>();
      for (TensorSpec tensor : shard.tensors()) {
        items.add(new ShardItem(tensor, sources.get(tensor.name())));
      }
      tasks.add(
          new PublishTask(
              output.uri(), shard.file(), new ShardHead.Safetensors(), List.copyOf(items)));
    }
    if (gguf != null) {
      tasks.addAll(gguf.tasks());
    }
    return tasks;
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
      case ".weight_scale" -> new TensorSource.Scales(linear, dtype);
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
    output.clear();
    List<PublishTask> tasks = tasks();
    List<PublishedShard> shards = runTasks.apply(tasks);
    List<PublishedFile> files = new ArrayList<>();
    List<PublishedTensor> tensors = new ArrayList<>();
    for (int i = 0; i < tasks.size(); i++) {
      files.add(shards.get(i).asFile());
      List<ShardItem> items = tasks.get(i).items();
      for (int t = 0; t < items.size(); t++) {
        tensors.add(shards.get(i).asTensor(t, items.get(t)));
      }
    }
    SideFiles.of(plan).forEach((name, bytes) -> files.add(output.write(name, bytes)));
    report.forEach((name, bytes) -> files.add(output.write("report/" + name, bytes)));
    if (gguf != null) {
      files.add(output.write("report/gguf.jsonl", gguf.report(shards)));
    }
    Manifest manifest = Manifest.of(version, plan.recipe().digest(), run, inputs(), tensors, files);
    output.publish(Manifest.FILE_NAME, manifest.toJson().getBytes(StandardCharsets.UTF_8));
    return manifest;
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
      inputs.add(
          new ManifestTensor(
              entry.tensor().tensor(),
              entry.tensor().shard(),
              entry.tensor().dtype().name(),
              entry.tensor().shape(),
              outputs.isEmpty() ? Action.DROP : entry.action(),
              outputs.isEmpty() ? "llama.cpp does without it" : entry.reason(),
              outputs));
    }
    return inputs;
  }
}
