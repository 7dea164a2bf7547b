package io.shardpress.spark.output.dense;

import io.shardpress.schemas.output.Manifest;
import io.shardpress.schemas.output.ManifestTensor;
import io.shardpress.schemas.output.OutputTensor;
import io.shardpress.spark.engine.ClusterTask;
import io.shardpress.spark.io.TensorRef;
import io.shardpress.spark.output.OutputFolder;
import io.shardpress.spark.output.Publication;
import io.shardpress.spark.output.PublishedShard;
import io.shardpress.spark.output.TensorSource;
import io.shardpress.spark.output.compressedtensors.SideFiles;
import io.shardpress.spark.plan.PlanEntry;
import io.shardpress.spark.store.PartKey;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/** Publishes the dense checkpoint that a quantized one was turned into. */
public final class DensePublisher {
  private final DecompressionPlan plan;
  private final Map<String, List<PartKey>> tiles;
  private final OutputFolder output;

  /**
   * @param tiles the parts of each dequantized weight, by its name, in the order of their rows
   */
  public DensePublisher(
      DecompressionPlan plan, Map<String, List<PartKey>> tiles, OutputFolder output) {
    this.plan = plan;
    this.tiles = tiles;
    this.output = output;
  }

  /**
   * Writes everything.
   *
   * @param runTasks runs the shards' tasks on the cluster
   * @param run what is true of this run only, for the manifest
   * @param digest of what was asked for
   */
  public Manifest publish(
      Function<List<? extends ClusterTask<PublishedShard>>, List<PublishedShard>> runTasks,
      String version,
      Map<String, String> run,
      String digest) {
    Map<String, TensorSource> sources = new HashMap<>();
    List<ManifestTensor> inputs = new ArrayList<>();
    for (PlanEntry entry : plan.entries()) {
      String name = entry.tensor().tensor();
      List<String> outputs = entry.outputs().stream().map(OutputTensor::name).toList();
      outputs.forEach(
          tensor ->
              sources.put(
                  tensor,
                  tiles.containsKey(name)
                      ? new DenseRows(name, List.copyOf(tiles.get(name)))
                      : new TensorSource.Copy(entry.tensor())));
      for (TensorRef tensor : entry.tensor().sources()) {
        inputs.add(
            new ManifestTensor(
                tensor.tensor(),
                tensor.shard(),
                tensor.dtype().name(),
                tensor.shape(),
                entry.action(),
                entry.reason(),
                outputs));
      }
    }
    return new Publication(output, plan.shards(), sources, inputs, SideFiles.of(plan), null, digest)
        .write(runTasks, version, run);
  }
}
