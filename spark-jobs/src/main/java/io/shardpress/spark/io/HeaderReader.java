package io.shardpress.spark.io;

import io.shardpress.schemas.safetensors.SafetensorsHeader;
import java.util.ArrayList;
import java.util.List;
import org.apache.hadoop.conf.Configuration;

/** Reads the header of one shard: 8 bytes, then the N that they promise, nothing of the data. */
public final class HeaderReader {
  private HeaderReader() {}

  /** The tensors of a shard. */
  public static List<TensorRef> read(CheckpointFile file, Configuration configuration) {
    return readAll(file, configuration).tensors();
  }

  static ShardHeader readAll(CheckpointFile file, Configuration configuration) {
    byte[] prefix =
        new byte[(int) Math.min(SafetensorsHeader.PREFIX_BYTES, Math.max(0, file.length()))];
    SafetensorsHeader header;
    try (RangedFile in = RangedFile.open(file.uri(), configuration)) {
      in.read(0, prefix, 0, prefix.length);
      int length = SafetensorsHeader.headerLength(file.uri(), file.length(), prefix);
      byte[] json = new byte[length];
      in.read(SafetensorsHeader.PREFIX_BYTES, json, 0, length);
      header = SafetensorsHeader.parse(file.uri(), file.length(), json);
    }
    List<TensorRef> tensors = new ArrayList<>();
    header
        .tensors()
        .forEach(
            tensor ->
                tensors.add(
                    new TensorRef(
                        tensor.name(),
                        tensor.dtype(),
                        tensor.shape(),
                        file.uri(),
                        header.dataStart() + tensor.begin(),
                        tensor.length(),
                        file.name())));
    return new ShardHeader(tensors, header.metadata());
  }
}
