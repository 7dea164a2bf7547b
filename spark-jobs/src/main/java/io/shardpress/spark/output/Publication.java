package io.shardpress.spark.output;

import java.util.List;
import java.util.Map;

/**
 * A format of a checkpoint, or an artifact beside one, for a model that is known from its headers:
 * which files it has, what they say, and where their bytes come from. It is planned before anything
 * is computed; whatever has no place in it is refused then.
 */
public interface Publication {
  /** What the command line, reports and messages call it, such as gguf. */
  String word();

  /** Its files; a task writes each. */
  List<PlannedFile> files();

  /** What comes before a file's tensors; what it needs is written into the folder. */
  default ShardHead head(PlannedFile file, OutputFolder folder) {
    return new ShardHead.Safetensors();
  }

  /** Where the bytes of one of its tensors come from. */
  TensorSource source(PlannedTensor tensor, Results results);

  /**
   * Names of what input tensors become here, by the input's name. An artifact that stands for no
   * input has none.
   */
  Map<String, List<String>> outputs();

  /** Why an input that no publication has a place for is left out. */
  default String omission() {
    return "has no place in " + word();
  }

  /** Small files around the tensors, by path below the folder. */
  default Map<String, byte[]> sideFiles() {
    return Map.of();
  }

  /**
   * Files below report/, by name.
   *
   * @param shards what the tasks said of its files, in the order of {@link #files}
   */
  default Map<String, byte[]> report(List<PublishedShard> shards) {
    return Map.of();
  }

  /** What users should know, and may accept. */
  default List<String> warnings() {
    return List.of();
  }

  /**
   * What its format makes of input tensors, in words for the plan, where the plan should say it.
   */
  default Map<String, String> types() {
    return Map.of();
  }

  /** Lines for people who read the plan. */
  default List<String> summary() {
    return List.of();
  }

  /** How it is loaded, for the card of the folder. */
  default CardEntry card() {
    return CardEntry.NONE;
  }

  /** Bytes of all its tensors. */
  default long bytes() {
    return files().stream().mapToLong(PlannedFile::bytes).sum();
  }
}
