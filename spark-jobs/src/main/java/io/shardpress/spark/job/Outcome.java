package io.shardpress.spark.job;

import io.shardpress.spark.output.Publication;
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
 */
public record Outcome(
    List<InputTensor> inputs,
    List<Publication> publications,
    Results results,
    Map<String, byte[]> files,
    Map<String, byte[]> report) {
  public Outcome {
    inputs = List.copyOf(inputs);
    publications = List.copyOf(publications);
    files = Map.copyOf(files);
    report = Map.copyOf(report);
  }
}
