package io.shardpress.spark.app;

import io.shardpress.schemas.CheckpointException;
import io.shardpress.schemas.json.ByteOrderMark;
import io.shardpress.spark.io.Locations;
import io.shardpress.spark.io.StorageFault;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;

/** Reads recipes. */
final class SmallFiles {
  private static final int MOST_BYTES = 1 << 20;

  private SmallFiles() {}

  static String text(String uri, Configuration configuration) {
    Path path = new Path(uri);
    try (InputStream in = path.getFileSystem(configuration).open(path)) {
      byte[] bytes = in.readNBytes(MOST_BYTES + 1);
      if (bytes.length > MOST_BYTES) {
        throw new CheckpointException(uri + ": found more than 1 MiB, wanted a recipe");
      }
      return ByteOrderMark.strip(
          StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString());
    } catch (CharacterCodingException e) {
      throw new CheckpointException(
          uri
              + ": not UTF-8; convert it: iconv -f ENCODING -t UTF-8 (Windows' is UTF-16 or windows-1252)",
          e);
    } catch (FileNotFoundException e) {
      throw new CheckpointException(
          uri
              + ": "
              + (StorageFault.denied(e)
                  ? StorageFault.reason(e)
                  : "no such file" + Locations.hint(uri)),
          e);
    } catch (IOException e) {
      throw StorageFault.of(uri, "cannot read", e);
    }
  }
}
