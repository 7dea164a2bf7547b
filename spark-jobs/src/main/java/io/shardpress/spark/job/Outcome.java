package io.shardpress.spark.job;

import io.shardpress.spark.output.Publication;
import io.shardpress.spark.output.PublishedShard;
import io.shardpress.spark.output.Results;
import java.util.List;
import java.util.Map;

/**
 * What a job's steps have come to.
 *
 * @param inputs what became of every input tensor
 * @param publications what is published, in this order
 * @param results where the publications' bytes come from
 * @param files small files of the folder beside those of the publications, by path
 * @param report files below report/ beside those of the publications, by name
 * @param written what {@link DirectShards} has written of the publications, and now is to be given
 *     its place; empty: everything is to be written
 */
public record Outcome(
    List<InputTensor> inputs,
    List<Publication> publications,
    Results results,
    Map<String, byte[]> files,
    Map<String, byte[]> report,
    List<PublishedShard> written) {
  public Outcome {
    inputs = List.copyOf(inputs);
    publications = List.copyOf(publications);
    files = Map.copyOf(files);
    report = Map.copyOf(report);
    written = List.copyOf(written);
  }

  /** What is to be written once it is published. */
  public Outcome(
      List<InputTensor> inputs,
      List<Publication> publications,
      Results results,
      Map<String, byte[]> files,
      Map<String, byte[]> report) {
    this(inputs, publications, results, files, report, List.of());
  }
}
