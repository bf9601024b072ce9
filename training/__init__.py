"""From a folder of MIDI files to one self-describing ONNX file, offline."""
