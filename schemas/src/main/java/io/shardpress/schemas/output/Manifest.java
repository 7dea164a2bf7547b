package io.shardpress.schemas.output;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.util.DefaultIndenter;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import com.fasterxml.jackson.core.util.Separators;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.shardpress.schemas.CheckpointException;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * {@code shardpress.json}: the account of a finished checkpoint. It is written last; a folder
 * without it holds no checkpoint.
 *
 * @param format version of this file's shape, {@link #FORMAT}
 * @param version of Shardpress
 * @param recipeDigest SHA-256 of the recipe's canonical form
 * @param treeHash of {@code files}, see {@link TreeHash}
 * @param run what is true of this run only, such as times and URIs, sorted by key
 * @param tensors every input tensor
 * @param outputs every output tensor
 * @param files every file but this one
 */
public record Manifest(
    int format,
    String version,
    String recipeDigest,
    String treeHash,
    Map<String, String> run,
    List<ManifestTensor> tensors,
    List<PublishedTensor> outputs,
    List<PublishedFile> files) {
  public static final String FILE_NAME = "shardpress.json";

  /** The shape written here. */
  public static final int FORMAT = 1;

  private static final ObjectMapper JSON =
      JsonMapper.builder()
          .enable(SerializationFeature.ORDER_MAP_ENTRIES_BY_KEYS)
          .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
          .enable(DeserializationFeature.FAIL_ON_MISSING_CREATOR_PROPERTIES)
          .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
          .build();

  public Manifest {
    run = new TreeMap<>(run);
    tensors = List.copyOf(tensors);
    outputs = List.copyOf(outputs);
    files = List.copyOf(files);
  }

  /** A manifest of the current format; the tree hash is that of the files. */
  public static Manifest of(
      String version,
      String recipeDigest,
      Map<String, String> run,
      List<ManifestTensor> tensors,
      List<PublishedTensor> outputs,
      List<PublishedFile> files) {
    return new Manifest(
        FORMAT, version, recipeDigest, TreeHash.of(files), run, tensors, outputs, files);
  }

  /** The file's text; equal manifests give equal text. */
  public String toJson() {
    DefaultIndenter indenter = new DefaultIndenter(" ", "\n");
    DefaultPrettyPrinter printer =
        new DefaultPrettyPrinter(
                Separators.createDefaultInstance()
                    .withObjectFieldValueSpacing(Separators.Spacing.AFTER))
            .withObjectIndenter(indenter);
    printer.indentArraysWith(indenter);
    try {
      return JSON.writer(printer).writeValueAsString(this) + "\n";
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a manifest of strings and numbers can be written", e);
    }
  }

  /**
   * Reads a manifest.
   *
   * @param source the file's URI, for messages
   * @throws CheckpointException where the text is no manifest or one of a later format
   */
  public static Manifest parse(String source, String json) {
    Manifest manifest;
    try {
      manifest = JSON.readValue(json, Manifest.class);
    } catch (JsonProcessingException e) {
      throw new CheckpointException(
          source + ": no manifest: " + e.getOriginalMessage().lines().findFirst().orElse(""), e);
    }
    if (manifest == null || manifest.format != FORMAT) {
      throw new CheckpointException(
          String.format(
              Locale.ROOT,
              "%s: manifest format is %s, want %d; use the version that wrote it",
              source,
              manifest == null ? "missing" : manifest.format,
              FORMAT));
    }
    for (PublishedFile file : manifest.files) {
      if (!file.below()) {
        throw new CheckpointException(
            "%s: found file \"%s\", wanted a path below the checkpoint's folder; the manifest is damaged"
                .formatted(source, file.path()));
      }
    }
    return manifest;
  }
}
