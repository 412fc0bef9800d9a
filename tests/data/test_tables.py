import pytest

from aegis.data.tables import MAX_BYTES, read_table


@pytest.mark.parametrize(
    "content",
    [
        b"Filename;Width;Height;ClassId\n1.png;29;30;7\n",
        b"id,label\r\n1.png,7\r\n",
        b"\xef\xbb\xbfPath,ClassId\n./1.png,7\n",
        b'image\tclass\n"1.png"\t7\n',
        b"1.png\t7\t0\t0\t62\t57\n",
        b"1.png 7\n",
        b"ClassId,Path\n7,1.png\nshort\n",
    ],
)
def test_columns_of_files_and_classes_are_found_however_they_are_parted(content):
    assert dict(read_table(("a.csv",), content).classes)["1.png"] == "7"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"one column\n".replace(b" ", b""),
        b"Filename;Width;Height\n1.png;29;30\n",
        b'"' + b"x" * 200_000 + b"\n",
        b"\0",
    ],
)
def test_what_names_no_classes_is_no_table(content):
    assert read_table(("a.csv",), content) is None


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("GT-final_test.csv", "test"),
        ("trainLabels.csv", "train"),
        ("Train.csv", "train"),
        ("val_annotations.txt", "val"),
    ],
)
def test_the_name_of_a_table_may_speak_of_a_split(name, split):
    assert read_table((name,), b"1.png,7").split == split
    assert read_table(("labels.csv",), b"1.png,7").split is None


def test_names_alone_count_beside_the_table_and_paths_below_it_everywhere():
    table = read_table(("top", "labels.csv"), b"a/1.png,cat\n2.png,dog\n3,emu\n")
    for path, alone, found in (
        ("top/a/1.png", False, "cat"),
        ("top/2.png", False, "dog"),
        ("top/images/2.png", False, "dog"),
        ("top/b/2.png", False, None),
        ("top/b/2.png", True, "dog"),
        ("top/3.png", False, "emu"),
        ("2.png", True, None),
    ):
        assert table.class_of(tuple(path.split("/")), None, alone=alone) == found


def test_a_table_of_very_many_lines_is_read_as_far_as_there_may_be_pictures():
    assert len(read_table(("a.csv",), b"a,\n" * (MAX_BYTES // 64)).classes) == 1
